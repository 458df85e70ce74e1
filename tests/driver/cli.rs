//! The commands under which the provider is tested: which there are, which must take part, and how one is run.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::text::words;

/// Longer than any command of a scenario takes on a slow machine; a command that hangs is ended then.
const TIMEOUT: Duration = Duration::from_secs(180);

/// Passed on to a command. All else is left behind, so that no credentials of the developer reach a test.
const INHERITED: &[&str] = &[
    "PATH",
    "TMPDIR",
    "LANG",
    "TF_LOG",
    "TF_LOG_CORE",
    "TF_LOG_PROVIDER",
    "TF_LOG_PATH",
];

/// An OpenTofu or Terraform command.
#[derive(Clone, Debug)]
pub struct Cli {
    path: PathBuf,
    /// `OpenTofu` or `Terraform`.
    pub product: String,
    /// Major, minor, patch.
    pub version: (u32, u32, u32),
}

/// How a command ended.
pub struct Ran {
    /// The command line, for messages.
    pub command: String,
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Cli {
    /// For test names: `opentofu_1_12_6`.
    pub fn label(&self) -> String {
        let (major, minor, patch) = self.version;
        format!("{}_{major}_{minor}_{patch}", self.product.to_lowercase())
    }

    /// A command to be started in `folder`, in a process group of its own, with only the given environment.
    pub fn command(
        &self,
        folder: &Path,
        arguments: &[&str],
        environment: &[(String, String)],
    ) -> Command {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new(&self.path);
        command
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .process_group(0);
        command.envs(
            INHERITED
                .iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?))),
        );
        command.envs([
            ("CHECKPOINT_DISABLE", "1"),
            ("TF_IN_AUTOMATION", "1"),
            ("TF_INPUT", "0"),
        ]);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn read(path: &Path) -> Result<Self, String> {
        let mut command = Command::new(path);
        command
            .arg("version")
            .env("CHECKPOINT_DISABLE", "1")
            .env_remove("TF_CLI_CONFIG_FILE");
        let told = command
            .output()
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let text = String::from_utf8_lossy(&told.stdout).into_owned();
        let line = text.lines().find_map(|line| line.split_once(" v"));
        let (product, version) = line.ok_or(format!("{} version: {text}", path.display()))?;
        let mut numbers = version
            .split(['.', '-'])
            .map_while(|part| part.parse().ok());
        let mut next = || numbers.next().unwrap_or(0);
        Ok(Self {
            path: path.to_owned(),
            product: product.to_owned(),
            version: (next(), next(), next()),
        })
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self
            .code
            .map_or("a signal".to_owned(), |code| format!("exit code {code}"));
        write!(
            f,
            "`{}` ended with {code}\n{}\n{}",
            self.command,
            self.stdout.trim_end(),
            self.stderr.trim_end()
        )
    }
}

impl Ran {
    /// Everything that was printed, as words.
    pub fn words(&self) -> String {
        words(&format!("{}\n{}", self.stdout, self.stderr))
    }
}

/// Runs a command to its end, or to the end of the time it is given.
pub async fn run(command: Command) -> Ran {
    let line = line(&command);
    let mut command = tokio::process::Command::from(command);
    let child = command
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start `{line}`: {error}"));
    let Ok(output) = tokio::time::timeout(TIMEOUT, child.wait_with_output()).await else {
        panic!(
            "`{line}` had not ended after {} s and was stopped",
            TIMEOUT.as_secs()
        );
    };
    let output = output.unwrap_or_else(|error| panic!("`{line}`: {error}"));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran {
        command: line,
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// The command line as a person would type it.
pub fn line(command: &Command) -> String {
    let parts = std::iter::once(command.get_program()).chain(command.get_args());
    parts
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The commands in `FKAKS_CLIS`, one path per line; without it, those on PATH and in the cache.
pub fn from_environment() -> Vec<Cli> {
    let list = std::env::var("FKAKS_CLIS").unwrap_or_else(|_| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/clis");
        let told = Command::new(&script)
            .arg("cached")
            .stderr(Stdio::inherit())
            .output();
        let told = told.unwrap_or_else(|error| panic!("{}: {error}", script.display()));
        String::from_utf8(told.stdout).unwrap()
    });
    let mut commands: Vec<Cli> = Vec::new();
    for path in list.lines().filter(|line| !line.trim().is_empty()) {
        let command = Cli::read(Path::new(path.trim()))
            .unwrap_or_else(|problem| panic!("FKAKS_CLIS: {problem}"));
        if !commands
            .iter()
            .any(|known| known.label() == command.label())
        {
            commands.push(command);
        }
    }
    commands
}

/// Whether every command took part that a run must have: a passing run without them would prove little.
pub fn coverage(commands: &[Cli]) -> Result<(), String> {
    let required: &[(&str, u32, u32)] = match std::env::var("FKAKS_CLI_SET").as_deref() {
        Ok("matrix") => &[
            ("OpenTofu", 1, 6),
            ("Terraform", 1, 8),
            ("Terraform", 1, 11),
            ("Terraform", 1, 15),
        ],
        _ => &[("OpenTofu", 1, 12)],
    };
    let oldest_current = |product: &str, minor| product == "OpenTofu" && minor >= 12;
    let took_part = |(product, major, minor): (&str, u32, u32)| {
        commands.iter().any(|command| {
            let (found_major, found_minor, _) = command.version;
            let same = (found_major, found_minor) == (major, minor);
            let newer =
                oldest_current(product, minor) && (found_major, found_minor) >= (major, minor);
            command.product == product && (same || newer)
        })
    };
    let missing: Vec<String> = required
        .iter()
        .filter(|wanted| !took_part(**wanted))
        .map(|(product, major, minor)| format!("{product} {major}.{minor}"))
        .collect();
    let found: Vec<String> = commands.iter().map(Cli::label).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} did not take part (found: {}).\nFix: run `make test`, or `make test-matrix` for the other commands; both \
         obtain what is missing. Or put the commands' paths into FKAKS_CLIS, one per line.",
        missing.join(", "),
        if found.is_empty() {
            "none".to_owned()
        } else {
            found.join(", ")
        },
    ))
}
