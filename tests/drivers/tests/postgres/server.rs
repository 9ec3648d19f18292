//! A PostgreSQL of the tests' own: a cluster in a temporary folder, reachable through a socket in it and by nobody else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;

/// Whoever may do everything, by no password.
pub const OWNER: &str = "owner";

/// Who runs the server if the tests are run by root, whom PostgreSQL refuses.
const NOBODY: [&str; 3] = ["--reuid=nobody", "--regid=nogroup", "--clear-groups"];

/// Stopped and removed when it is dropped, by a panic as well; only who kills the tests leaves it behind.
pub struct Server {
    programs: PathBuf,
    folder: TempDir,
}

impl Server {
    /// The one that is running, or a new one; it is stopped with the last of the tests that hold it.
    pub fn shared() -> Arc<Self> {
        static RUNNING: Mutex<Weak<Server>> = Mutex::new(Weak::new());
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Self::start());
            *running = Arc::downgrade(&server);
            server
        })
    }

    fn start() -> Self {
        let server = Self {
            programs: programs(),
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        if is_root() {
            run(Command::new("chown")
                .arg("nobody:nogroup")
                .arg(server.folder.path()));
        }
        let initdb = ["-U", OWNER, "-A", "trust", "-E", "UTF8", "--locale=C"];
        run(server
            .program("initdb")
            .args(initdb)
            .args(["--no-sync", "-D"])
            .arg(server.data()));
        server.ask_for_passwords();
        let log = server.path("log");
        let mut start = server.pg_ctl("start");
        start
            .arg("-s")
            .arg("-l")
            .arg(&log)
            .arg("-o")
            .arg(server.settings());
        let started = start.status().expect("pg_ctl");
        let said = || fs::read_to_string(&log).unwrap_or_default();
        assert!(started.success(), "{start:?}: {}", said());
        server
    }

    /// Of every role but the owner.
    fn ask_for_passwords(&self) {
        let rules = format!("local all {OWNER} trust\nlocal all all scram-sha-256\n");
        fs::write(self.path("data/pg_hba.conf"), rules).expect("a file of the cluster");
    }

    fn settings(&self) -> String {
        let folder = self.folder.path().display();
        format!(
            "-k {folder} -c listen_addresses= -c fsync=off -c max_connections=400 -c deadlock_timeout=10ms \
             -c shared_preload_libraries=pg_stat_statements"
        )
    }

    /// How the owner connects to a database.
    pub fn options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(self.folder.path())
            .username(OWNER)
            .database(database)
    }

    /// Where its socket is.
    pub fn socket(&self) -> &Path {
        self.folder.path()
    }

    fn data(&self) -> PathBuf {
        self.path("data")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn pg_ctl(&self, action: &str) -> Command {
        let mut command = self.program("pg_ctl");
        command.args(["-w", action, "-D"]).arg(self.data());
        command
    }

    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(NOBODY).arg(program);
            command
        } else {
            Command::new(program)
        };
        // Nobody may look into the folder in which the tests run.
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that never started cannot be stopped.
        self.pg_ctl("stop").args(["-m", "immediate"]).output().ok();
    }
}

/// Where the programs of PostgreSQL 15 or later are.
fn programs() -> PathBuf {
    if let Some(told) = std::env::var_os("PLIMSOLL_POSTGRES") {
        return told.into();
    }
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    installed
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| version(path).is_some_and(|version| version >= 15))
        .min_by_key(|path| version(path))
        .expect(
            "PostgreSQL 15 or later in /usr/lib/postgresql, or PLIMSOLL_POSTGRES=its bin folder",
        )
        .join("bin")
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    let process = fs::metadata("/proc/self").expect("this process");
    process.uid() == 0
}

fn run(command: &mut Command) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("a program that can be started");
    let (said, complained) = (
        String::from_utf8_lossy(&stdout),
        String::from_utf8_lossy(&stderr),
    );
    assert!(status.success(), "{command:?}: {said}{complained}");
}
