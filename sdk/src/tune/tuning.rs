//! All lines together.

use std::fmt;

use serde::Serialize;

use super::connections::Connections;
use super::machine::Machine;
use super::memory::Memory;
use super::parallel::Parallel;
use super::setting::{Lines, Setting, Value, source};
use super::{Size, planner, vacuum, wal};
use crate::error::{Error, ErrorKind, Result};

/// The configuration of a server. It prints as a file that the server reads, each line below its reason; put it where
/// `include_dir` looks, or at the end of `postgresql.conf`, and restart the server.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tuning {
    machine: Machine,
    memory: Memory,
    settings: Vec<Setting>,
    kernel: Vec<Setting>,
}

impl Tuning {
    /// What it was made for.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Who may take how much memory.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The lines of `postgresql.conf`.
    #[must_use]
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// The value of this parameter, where there is a line for it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.settings.iter().find(|setting| setting.name == name).map(|setting| &setting.value)
    }

    /// What Linux has to be told first, as lines of `/etc/sysctl.d`; none where huge pages are not reserved.
    #[must_use]
    pub fn kernel(&self) -> &[Setting] {
        &self.kernel
    }
}

impl fmt::Display for Tuning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Memory { ram, .. } = self.memory;
        writeln!(f, "# {}", self.machine)?;
        let [worst, ram] = [self.memory.worst_case(), ram].map(|size| size.as_bytes().div_ceil(Size::mb(1).as_bytes()));
        writeln!(f, "# At worst all take {worst}MB of {ram}MB. A kB has 1024 bytes. The server has to be restarted.")?;
        for Setting { name, value, .. } in &self.kernel {
            writeln!(f, "# The server does not start without this in /etc/sysctl.d: {name} = {value}")?;
        }
        for Setting { name, value, reason, source } in &self.settings {
            f.write_str("\n")?;
            comment(f, &format!("{reason} ({source})"))?;
            writeln!(f, "{name} = {value}")?;
        }
        Ok(())
    }
}

/// Broken into lines that fit a screen.
fn comment(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    const WIDTH: usize = 100;
    let mut width = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count() + 1;
        match width {
            0 => write!(f, "# {word}")?,
            _ if width + length > WIDTH => write!(f, "\n# {word}")?,
            _ => write!(f, " {word}")?,
        }
        width = if width == 0 || width + length > WIDTH { length } else { width + length };
    }
    f.write_str("\n")
}

pub(super) fn of(machine: &Machine) -> Result<Tuning> {
    check(machine)?;
    let (connections, parallel) = (Connections::of(machine), Parallel::of(machine));
    let memory = Memory::of(machine, &connections, &parallel).ok_or_else(|| too_small(machine))?;
    let mut lines = Lines::default();
    connections.lines(machine, &mut lines);
    memory.lines(machine, &connections, &mut lines);
    parallel.lines(machine, &mut lines);
    wal::lines(machine, &mut lines);
    planner::lines(machine, &mut lines);
    vacuum::lines(machine, &mut lines);
    let mut kernel = Lines::default();
    if machine.has_huge_pages() {
        let reason =
            "All shared memory in pages of 2 MB; `postgres -C shared_memory_size_in_huge_pages` has the exact number.";
        kernel.count("vm.nr_hugepages", memory.huge_pages(), source::HUGE_PAGES, reason);
    }
    let (settings, kernel) = (lines.into_settings(), kernel.into_settings());
    Ok(Tuning { machine: machine.clone(), memory, settings, kernel })
}

fn check(machine: &Machine) -> Result<()> {
    const LEAST: Size = Size::mb(256);
    const MOST: Size = Size::gb(16 * 1024);
    let bad = |message: String| Err(Error::new(ErrorKind::Config, message));
    let Machine { ram, cpus, connections, version, shards, partitions, .. } = *machine;
    if ram < LEAST || ram > MOST {
        return bad(format!(
            "{ram} of memory: PostgreSQL needs {LEAST} to be of use, and {MOST} has no machine; check the unit"
        ));
    }
    if !(1..=4096).contains(&cpus) {
        return bad(format!("{cpus} CPUs: write what `nproc` says, 1 to 4096"));
    }
    if !(1..=100_000).contains(&connections) {
        return bad(format!("{connections} connections: write how many are busy at the same time, 1 to 100000"));
    }
    if !(13..=18).contains(&version) {
        return bad(format!(
            "version {version} of PostgreSQL: this knows 13 to 18; `SHOW server_version` tells the server's"
        ));
    }
    if !(1..=64_000).contains(&shards) || !(1..=10_000).contains(&partitions) {
        return bad(format!(
            "{shards} shards of {partitions} partitions: write 1 to 64000 shards, and 1 to 10000 partitions"
        ));
    }
    match machine.role {
        super::Role::Coordinator { workers } | super::Role::Worker { workers } if !(1..=1000).contains(&workers) => {
            return bad(format!("{workers} workers of Citus: write how many there are, 1 to 1000"));
        }
        _ => {}
    }
    let is_library = |name: &str| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '$');
        !name.is_empty() && name.chars().all(is_part)
    };
    match machine.libraries.iter().find(|name| !is_library(name)) {
        Some(name) => bad(format!("{name:?} is no library: write one name each, such as \"pg_stat_statements\"")),
        None => Ok(()),
    }
}

/// Says what the machine can do instead.
fn too_small(machine: &Machine) -> Error {
    let Machine { ram, connections, .. } = *machine;
    let huge_pages = machine.has_huge_pages();
    let fits = |connections: u32, huge_pages: bool| {
        let other = machine.clone().with_connections(connections).with_huge_pages(huge_pages);
        Memory::of(&other, &Connections::of(&other), &Parallel::of(&other)).is_some()
    };
    let most = |huge_pages| {
        let (mut fit, mut too_many) = (0, connections + 1);
        while too_many - fit > 1 {
            let middle = fit + (too_many - fit) / 2;
            if fits(middle, huge_pages) { fit = middle } else { too_many = middle }
        }
        fit
    };
    let bears = match most(huge_pages) {
        0 => "it bears none with this role and these CPUs".to_owned(),
        most => format!("it bears {most} with a pooler such as PgBouncer before it"),
    };
    let pages = match most(true) {
        more if !huge_pages && more > most(false) => format!(", {more} with huge pages reserved"),
        _ => String::new(),
    };
    let message = format!(
        "{ram} of memory is too little for {connections} connections that are busy at once: {bears}{pages}, or take a larger machine"
    );
    Error::new(ErrorKind::Config, message)
}
