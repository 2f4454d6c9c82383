//! CPU targets: listed, forced, refused. In a process of its own, because what is forced is the
//! whole process's.

use vicinal::{chosen_cpu_target, cpu_targets, force_cpu_target, Status};
use vicinal_tests::{filled, vector};

#[test]
fn targets_are_listed_forced_and_refused() {
    let targets = cpu_targets().unwrap();
    let chosen = chosen_cpu_target().unwrap();
    let is_chosen: Vec<_> = targets.iter().filter(|target| target.chosen).collect();
    assert!(is_chosen.len() == 1 && is_chosen[0].name == chosen, "{targets:?}");
    for target in &targets {
        let forced = force_cpu_target(&target.name);
        if !target.supported {
            let error = forced.unwrap_err();
            assert_eq!(error.status(), Status::InvalidArgument, "{error}");
            assert!(error.message().contains(&target.why_not), "{error}");
            continue;
        }
        forced.unwrap();
        assert_eq!(chosen_cpu_target().unwrap(), target.name);
        let chosen: Vec<_> = cpu_targets().unwrap().iter().map(|target| target.chosen).collect();
        let expected: Vec<_> = targets.iter().map(|other| other.name == target.name).collect();
        assert_eq!(chosen, expected);
        let index = filled(20, 8);
        assert_eq!(index.stats().unwrap().target, target.name);
        let hits = index.search(&vector(7, 0, 8), 1, &Default::default()).unwrap();
        assert_eq!(hits[0].label, 7, "{}", target.name);
    }
    let last = chosen_cpu_target().unwrap();
    let error = force_cpu_target("abacus").unwrap_err();
    assert_eq!(error.status(), Status::InvalidArgument);
    assert!(error.message().contains("abacus") && error.message().contains(&last), "{error}");
    assert_eq!(force_cpu_target("a\0b").unwrap_err().status(), Status::InvalidArgument);
    assert_eq!(chosen_cpu_target().unwrap(), last, "a refusal changes nothing");
    force_cpu_target("").unwrap();
    assert_eq!(chosen_cpu_target().unwrap(), chosen);
}
