//! The library's version, and the CPU targets of its kernels.

use std::ops::ControlFlow;
use std::os::raw::{c_char, c_void};

use crate::callback::LentVisitor;
use crate::error::{check, text, Result};
use crate::store::to_c;
use crate::sys;

/// The version of the library in use, "0.1.0".
pub fn version() -> String {
    // SAFETY: a text that stays.
    unsafe { text(sys::vicinal_version()) }
}

/// A CPU target that kernels were compiled for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CpuTarget {
    /// "avx3_vnni", "avx2", "neon", ...
    pub name: String,
    /// This CPU executes it.
    pub supported: bool,
    /// New indexes use it.
    pub chosen: bool,
    /// Why it is not supported; "" otherwise.
    pub why_not: String,
}

/// Every target compiled into the library, best first. [`force_cpu_target`], and the environment
/// variable `VICINAL_TARGET`, force one.
///
/// Threads: any.
pub fn cpu_targets() -> Result<Vec<CpuTarget>> {
    let mut targets = Vec::new();
    let mut lent = LentVisitor::new(|target: CpuTarget| {
        targets.push(target);
        ControlFlow::Continue(())
    });
    check(visit_targets(&mut lent))?;
    Ok(targets)
}

fn visit_targets<F>(lent: &mut LentVisitor<F>) -> sys::vicinal_status
where
    F: FnMut(CpuTarget) -> ControlFlow<()>,
{
    // SAFETY: `lent` outlives the call.
    unsafe { sys::vicinal_for_each_cpu_target(Some(on_target::<F>), lent.context()) }
}

unsafe extern "C" fn on_target<F>(
    context: *mut c_void,
    target: *const sys::vicinal_cpu_target,
) -> bool
where
    F: FnMut(CpuTarget) -> ControlFlow<()>,
{
    let target = &*target;
    LentVisitor::<F>::visit(context, |visit| {
        visit(CpuTarget {
            name: text(target.name),
            supported: target.supported != 0,
            chosen: target.chosen != 0,
            why_not: text(target.why_not),
        })
    })
}

/// The name of the target that an index opened now would use.
///
/// Threads: any.
///
/// Errors: `InvalidArgument` when `VICINAL_TARGET` names one that is unknown or cannot run here (the
/// message lists the valid ones).
pub fn chosen_cpu_target() -> Result<String> {
    let mut name: [c_char; sys::VICINAL_TARGET_BYTES] = [0; sys::VICINAL_TARGET_BYTES];
    // SAFETY: there is room for as many bytes as told.
    check(unsafe { sys::vicinal_chosen_cpu_target(name.as_mut_ptr(), name.len()) })?;
    // SAFETY: the library ends it with a NUL.
    Ok(unsafe { text(name.as_ptr()) })
}

/// Makes indexes opened later use the target `name`; "" undoes it. `VICINAL_TARGET` in the
/// environment does the same from outside, and gives way to this.
///
/// Threads: any; an index that is being opened meanwhile may use either target.
///
/// Errors: `InvalidArgument` for a target that is unknown or cannot run here (the message lists the
/// valid ones); nothing changes then.
pub fn force_cpu_target(name: &str) -> Result<()> {
    let name = to_c(name)?;
    // SAFETY: the name is NUL-terminated.
    check(unsafe { sys::vicinal_force_cpu_target(name.as_ptr()) })
}

#[test]
fn the_crate_has_the_librarys_version() {
    assert_eq!(version(), env!("CARGO_PKG_VERSION"));
}
