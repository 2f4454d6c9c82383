//! The plain vocabulary: labels, hits, enumerations.

use std::fmt;

use crate::error::{text, Error, Result, Status};
use crate::sys;

/// A vector's name, the caller's choice.
pub type Label = u64;

/// A vector that a search found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    pub label: Label,
    /// From the query, exact float32; smaller is nearer.
    pub distance: f32,
}

/// An enumeration of the ABI. Values that a later library may add are told apart by `from_c`.
macro_rules! enumeration {
    ($(#[$meta:meta])* $name:ident, $names:ident {
        $($(#[$value_meta:meta])* $value:ident = $constant:ident,)*
    }) => {
        $(#[$meta])*
        #[non_exhaustive]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$value_meta])* $value,)* }

        impl $name {
            pub(crate) fn to_c(self) -> i32 {
                match self { $($name::$value => sys::$constant,)* }
            }

            pub(crate) fn from_c(value: i32) -> Option<$name> {
                match value { $(sys::$constant => Some($name::$value),)* _ => None }
            }

            #[allow(dead_code)]
            pub(crate) fn known(value: i32) -> Result<$name> {
                $name::from_c(value).ok_or_else(|| Error::new(
                    Status::Internal,
                    format!("this crate does not know the {} {value}", stringify!($name)),
                ))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                // SAFETY: any value is allowed; the answer is a text that stays.
                formatter.write_str(&unsafe { text(sys::$names(self.to_c())) })
            }
        }
    };
}

enumeration! {
    /// How nearness is measured. Smaller is nearer for all of them.
    Metric, vicinal_metric_name {
        /// 1 - cos(a, b), in [0, 2]. A zero vector is refused.
        Cosine = VICINAL_COSINE,
        /// 1 - <a, b>, any finite value.
        InnerProduct = VICINAL_INNER_PRODUCT,
        /// |a - b|^2, at least 0.
        SquaredL2 = VICINAL_SQUARED_L2,
    }
}

enumeration! {
    /// What the graph is traversed over. Reported distances are exact whichever is chosen.
    Quantization, vicinal_quantization_name {
        /// The stored vectors.
        None = VICINAL_QUANTIZATION_NONE,
        /// Rotated int8 codes, re-ranked from the stored vectors; where those are int8 they are the
        /// codes.
        Int8 = VICINAL_QUANTIZATION_INT8,
    }
}

enumeration! {
    /// What a stored vector is made of: what `get` answers, and what memory and files hold.
    Storage, vicinal_storage_name {
        /// The components as they come.
        Float32 = VICINAL_STORAGE_FLOAT32,
        /// IEEE binary16, the nearest, of two the even one. Refused: what would be beyond 65,504.
        Float16 = VICINAL_STORAGE_FLOAT16,
        /// scale * code, codes from -127 to 127, one scale a vector: max|x| / 127, cut to 17 bits.
        /// Refused: max|x| below 1.5e-36, but for 0.
        Int8 = VICINAL_STORAGE_INT8,
    }
}

enumeration! {
    /// When an acknowledged write survives what.
    Durability, vicinal_durability_name {
        /// fsync before each call returns: survives a power cut.
        Full = VICINAL_DURABILITY_FULL,
        /// Survives a killed process; a power cut may lose the last calls.
        Relaxed = VICINAL_DURABILITY_RELAXED,
        /// Nothing is promised before a sync or a clean close.
        None = VICINAL_DURABILITY_NONE,
    }
}

enumeration! {
    /// What an upsert found and did.
    UpsertOutcome, vicinal_upsert_outcome_name {
        /// The label was not there.
        Inserted = VICINAL_INSERTED,
        /// It had another vector, or was erased and had another vector.
        Updated = VICINAL_UPDATED,
        /// Erased before with this very vector: the tombstone was lifted.
        Resurrected = VICINAL_RESURRECTED,
        /// Live with this very vector: nothing was written.
        Unchanged = VICINAL_UNCHANGED,
    }
}

enumeration! {
    /// What an erasure found and did.
    EraseOutcome, vicinal_erase_outcome_name {
        /// The label was live.
        Erased = VICINAL_ERASED,
        /// It was not: nothing was written.
        Absent = VICINAL_ABSENT,
    }
}

enumeration! {
    /// The path a search took.
    SearchPath, vicinal_search_path_name {
        /// Nothing live, or k = 0: no work.
        Empty = VICINAL_PATH_EMPTY,
        /// The HNSW walk.
        Graph = VICINAL_PATH_GRAPH,
        /// The HNSW walk with a filter on what enters the results.
        FilteredGraph = VICINAL_PATH_FILTERED_GRAPH,
        /// Every candidate was compared.
        ExactScan = VICINAL_PATH_EXACT_SCAN,
    }
}

enumeration! {
    /// How much an event matters.
    Severity, vicinal_severity_name {
        /// Worth a line in a log.
        Info = VICINAL_SEVERITY_INFO,
        /// Nothing is wrong yet, or the store has helped itself.
        Warning = VICINAL_SEVERITY_WARNING,
        /// Something that should be done is not done: act.
        Error = VICINAL_SEVERITY_ERROR,
    }
}

enumeration! {
    /// What happened in a store.
    EventKind, vicinal_event_name {
        /// A checkpoint of the store's own thread failed; value: failures in a row.
        CheckpointFailed = VICINAL_EVENT_CHECKPOINT_FAILED,
        /// A repair slice of the store's own thread failed; value: failures in a row.
        RepairFailed = VICINAL_EVENT_REPAIR_FAILED,
        /// What failed went well again; value: failures before.
        Recovered = VICINAL_EVENT_RECOVERED,
        /// Damage met while an index was loaded; value: records.
        Damage = VICINAL_EVENT_DAMAGE,
        /// Readers of killed processes were cleared; value: count.
        StaleReader = VICINAL_EVENT_STALE_READER,
        /// The map grew; value: its bytes, limit: the most, or 0.
        FileGrown = VICINAL_EVENT_FILE_GROWN,
        /// The file nears `max_map_bytes`; value: its bytes.
        NearlyFull = VICINAL_EVENT_NEARLY_FULL,
        /// Searches cost up to 1.4 times as much.
        HugePagesRefused = VICINAL_EVENT_HUGE_PAGES_REFUSED,
    }
}
