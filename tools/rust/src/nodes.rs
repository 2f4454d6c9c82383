//! The graph's nodes, for dumps and debugging.

use std::ops::ControlFlow;
use std::os::raw::c_void;

use crate::callback::LentVisitor;
use crate::error::{check, Error, Result, Status};
use crate::index::Index;
use crate::sys;
use crate::types::Label;

/// A node of the graph, with its links; for dumps and debugging.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeView {
    pub label: Label,
    /// Its id.
    pub node: u32,
    /// Its highest level.
    pub level: u32,
    pub live: bool,
    /// The labels that it links to, level by level, 0 first.
    pub links: Vec<Vec<Label>>,
    /// The same as node ids.
    pub link_nodes: Vec<Vec<u32>>,
}

impl Index {
    /// `label`'s node.
    ///
    /// Errors: `NotFound`.
    pub fn node(&self, label: Label) -> Result<NodeView> {
        let mut found = None;
        let mut lent = LentVisitor::new(|view: NodeView| {
            found = Some(view);
            ControlFlow::Continue(())
        });
        // SAFETY: `lent` outlives the call.
        check(unsafe { visit_node(self.pointer(), label, &mut lent) })?;
        found.ok_or_else(|| Error::new(Status::Internal, "the library showed no node"))
    }

    /// Visits every node that is linked, tombstones included, in node order, until `visit` breaks,
    /// which is no failure. In an index that is [`flat`](crate::Stats::flat) no node is linked: all
    /// are visited, with empty lists.
    ///
    /// `visit` may close the index's store and drop the index; the walk goes on to its end.
    pub fn for_each_node<F>(&self, visit: F) -> Result<()>
    where
        F: FnMut(NodeView) -> ControlFlow<()> + Send,
    {
        let mut lent = LentVisitor::new(visit);
        // SAFETY: `lent` outlives the call.
        let walked = check(unsafe {
            sys::vicinal_index_for_each_node(self.pointer(), Some(on_node::<F>), lent.context())
        });
        lent.resume();
        walked
    }
}

unsafe fn visit_node<F>(
    index: *mut sys::vicinal_index,
    label: Label,
    lent: &mut LentVisitor<F>,
) -> sys::vicinal_status
where
    F: FnMut(NodeView) -> ControlFlow<()>,
{
    sys::vicinal_index_node(index, label, Some(on_node::<F>), lent.context())
}

unsafe extern "C" fn on_node<F>(context: *mut c_void, node: *const sys::vicinal_node_view) -> bool
where
    F: FnMut(NodeView) -> ControlFlow<()>,
{
    let node = &*node;
    LentVisitor::<F>::visit(context, |visit| {
        let levels = node.link_levels as usize;
        let mut links = Vec::with_capacity(levels);
        let mut link_nodes = Vec::with_capacity(levels);
        for level in 0..levels {
            let count = *node.link_counts.add(level);
            links.push(copied(*node.links.add(level), count));
            link_nodes.push(copied(*node.link_nodes.add(level), count));
        }
        visit(NodeView {
            label: node.label,
            node: node.node,
            level: node.level,
            live: node.live != 0,
            links,
            link_nodes,
        })
    })
}

/// `count` elements at `pointer`, which may be NULL when there are none.
///
/// # Safety
/// There are that many.
unsafe fn copied<T: Copy>(pointer: *const T, count: usize) -> Vec<T> {
    if count == 0 {
        return Vec::new();
    }
    std::slice::from_raw_parts(pointer, count).to_vec()
}
