//! The driver of the acceptance tests: from scenario folders and a list of commands to reported tests.
//!
//! `cli` knows the commands, `sandbox` the local Azure, `session` brings one of each and a scenario's files together
//! and is what the steps are written against.

#![allow(
    dead_code,
    reason = "the words of the steps: each scenario uses those that it needs"
)]

pub mod cli;
mod image;
mod sandbox;
pub mod session;
mod text;

use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};

pub use sandbox::sandbox_arguments;
pub use session::Session;

/// Operations take a moment, so that a provider which does not wait for them is found out, and no longer.
const OPTIONS: &[&str] = &["--operation-time", "50", "--retry-after", "none"];

/// A test in Rust of one scenario: what `*.tftest.hcl` cannot say.
pub struct Step {
    /// A sentence, with underscores.
    pub name: &'static str,
    /// Panics when the sentence does not hold.
    pub run: fn(&mut Session),
}

/// A folder of configuration with its tests.
pub struct Scenario {
    name: String,
    folder: PathBuf,
    steps: &'static [Step],
}

impl Scenario {
    /// Finds every folder under `tests/acceptance` and every architecture among the examples, and panics when
    /// `steps` names one that is not there.
    pub fn all(steps: &'static [(&'static str, &'static [Step])]) -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut folders: Vec<(String, PathBuf)> = ["tests/acceptance", "examples/architectures"]
            .into_iter()
            .flat_map(|place| folders_in(&root.join(place)))
            .collect();
        folders.sort();
        for (name, _) in steps {
            assert!(
                folders.iter().any(|(known, _)| known == name),
                "there is no scenario and no architecture {name}"
            );
        }
        let steps_of = |name: &str| {
            steps
                .iter()
                .find(|(known, _)| *known == name)
                .map_or(&[][..], |(_, steps)| *steps)
        };
        folders
            .into_iter()
            .map(|(name, folder)| Self {
                folder,
                steps: steps_of(&name),
                name,
            })
            .collect()
    }
}

/// The folders with a configuration, by name.
fn folders_in(place: &Path) -> Vec<(String, PathBuf)> {
    std::fs::read_dir(place)
        .unwrap_or_else(|error| panic!("{}: {error}", place.display()))
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .filter(|(_, folder)| has_file(folder, ".tf"))
        .collect()
}

/// One trial for each scenario, test and command, and one that the commands which must take part did.
pub fn trials(scenarios: &[Scenario]) -> Vec<Trial> {
    let commands = cli::from_environment();
    let coverage = cli::coverage(&commands);
    let mut trials = vec![Trial::test("the_required_commands_took_part", move || {
        coverage.map_err(Failed::from)
    })];
    for scenario in scenarios {
        for command in &commands {
            let mut add = |name: &str, run: fn(&mut Session)| {
                let (folder, command) = (scenario.folder.clone(), command.clone());
                let name = format!("{}::{name}::{}", scenario.name, command.label());
                trials.push(Trial::test(name, move || {
                    let mut session = Session::start(&folder, &command, OPTIONS);
                    run(&mut session);
                    session.finish();
                    Ok(())
                }));
            };
            if has_file(&scenario.folder, ".tftest.hcl") {
                add("values", Session::run_tests);
            }
            add("life", life);
            for step in scenario.steps {
                add(step.name, step.run);
            }
        }
    }
    trials
}

/// What must hold for every configuration: it validates, applies once, then has nothing to do and passes its own
/// checks, and can be destroyed.
fn life(session: &mut Session) {
    session.validate();
    session.apply();
    let plan = session.plan();
    plan.must_be_empty("after an apply nothing is left to do");
    plan.must_pass_its_checks();
    session.destroy();
}

fn has_file(folder: &Path, ending: &str) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    entries
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().ends_with(ending))
}
