"""Uses the module `vicinal` where its package put it, in a folder of its own."""

import os
import tempfile

import numpy as np
import vicinal

rows = np.eye(50, 8) + np.arange(400, dtype=np.float32).reshape(50, 8)
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "store")
    with vicinal.Store(path) as store:
        index = store.index("text", dimension=8, metric="squared_l2")
        index.upsert_batch(range(50), rows)
        labels, distances = index.search(rows[7], k=3)
        assert labels[0] == 7 and distances[0] == 0, (labels, distances)
        assert index.erase(7)
    with vicinal.Store(path) as store:
        index = store.index("text")
        assert len(index) == 49 and 7 not in index
        labels, _ = index.search(rows[:5], k=2)
        assert labels.shape == (5, 2) and list(labels[:, 0]) == [0, 1, 2, 3, 4], labels
print(f"vicinal {vicinal.__version__} with numpy {np.__version__}: {vicinal.__file__}")
