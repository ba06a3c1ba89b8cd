//! Where an application's statements are read from, and reading the files among them.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use super::candidates::statements;
use super::literals::{Constants, Language, Literal, constants, literals, split, with_constants};
use super::logs::{self, Logged};
use super::statement::{Spelling, Statement};
use super::tables::Tables;
use super::tally::{Counts, FoundAt, Origin, Tally};
use super::words::{Style, Writer};
use crate::error::{Error, ErrorKind, Result};

/// Where an application's statements are read from.
///
/// ```
/// use shardwise::admin::adopt::Sources;
///
/// let sources = Sources::new().with_statements().with_log("/var/log/postgresql/postgresql.csv").with_folder("src");
/// assert_ne!(sources, Sources::new());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Sources {
    reads_statements: bool,
    logs: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Sources {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Also those that `pg_stat_statements` of the coordinator has counted in this database.
    pub fn with_statements(mut self) -> Self {
        self.reads_statements = true;
        self
    }

    /// Also those of a server's log: as text, `csvlog` or `jsonlog`. What it says of other databases is left out, where it says of any
    /// whose it is and some is of this one.
    pub fn with_log(mut self, file: impl Into<PathBuf>) -> Self {
        self.logs.push(file.into());
        self
    }

    /// Also the string literals of a folder's programs in Rust, Go, Python, Java, TypeScript and JavaScript, and its files of SQL; or those
    /// of one such file. What others have written (`node_modules`, `vendor`, `target`, hidden folders) is left out.
    pub fn with_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folders.push(folder.into());
        self
    }

    /// Whether a server has to be asked.
    pub(in crate::admin::adopt) fn asks_server(&self) -> bool {
        self.reads_statements
    }

    /// Reads all files. Programs come first: where a server has seen the same, the text is theirs.
    pub(super) fn read(
        &self,
        tables: &Tables,
        database: &str,
        tally: &mut Tally,
        notes: &mut Vec<String>,
    ) -> Result<()> {
        let mut walk = Walk { notes, seen: HashSet::new(), found: Vec::new() };
        for folder in &self.folders {
            let before = walk.found.len();
            walk.enter(folder).map_err(|error| unreadable(folder, error))?;
            if walk.found.len() == before {
                let known = "no file of Rust, Go, Python, Java, TypeScript or SQL";
                walk.notes.push(format!("{} has {known}", folder.display()));
            }
        }
        add_programs(walk.found, tables, tally);
        for log in &self.logs {
            read_log(log, database, tally, notes).map_err(|error| unreadable(log, error))?;
        }
        Ok(())
    }
}

fn unreadable(path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Usage, format!("{} can't be read", path.display())).caused_by(error)
}

/// Statements of programs, once all constants are known.
fn add_programs(found: Vec<(PathBuf, Language, Vec<Literal>)>, tables: &Tables, tally: &mut Tally) {
    let mut known: BTreeMap<Language, Constants> = BTreeMap::new();
    for (_, language, literals) in &found {
        constants(literals, known.entry(*language).or_default());
    }
    let none = Constants::new();
    for (path, language, literals) in found {
        let literals = with_constants(literals, known.get(&language).unwrap_or(&none));
        let found: Vec<_> = literals.iter().flat_map(|literal| statements(literal, language, tables)).collect();
        // What has no parameters yet gets them as its neighbours have them.
        let usual = found.iter().find_map(|(_, statement)| statement.style()).unwrap_or(language.usual());
        for (line, statement) in found {
            let place = FoundAt { file: path.display().to_string(), line };
            tally.add(statement.or_spelled(usual), Origin::Source, Counts::default(), Some(place));
        }
    }
}

/// Statements of a server, of which several may come as one text.
pub(super) fn add_seen(text: &str, origin: Origin, counts: Counts, tally: &mut Tally) {
    for (at, part) in split(text, Writer::Server).into_iter().enumerate() {
        let statement = Statement::read(part.1, &[], Writer::Server, Spelling::Like(Style::Dollar));
        // How long each of them took is not known: it is told once.
        let ms = if at == 0 { counts.ms } else { 0.0 };
        tally.add(statement, origin, Counts { ms, ..counts }, None);
    }
}

fn read_log(file: &Path, database: &str, tally: &mut Tally, notes: &mut Vec<String>) -> io::Result<()> {
    let mut add = |logged: Logged| {
        let origin = if logged.is_plan { Origin::Plan } else { Origin::Log };
        add_seen(&logged.text, origin, Counts { calls: logged.calls, ms: logged.ms }, tally);
    };
    let mut read = |database| logs::read(&mut BufReader::with_capacity(1 << 16, File::open(file)?), database, &mut add);
    let mut extent = read(Some(database))?;
    if extent.statements == 0 && extent.of_others > 0 {
        notes.push(format!(
            "{} names no statement of the database {database:?}: those of all others were taken",
            file.display()
        ));
        extent = read(None)?;
    }
    if extent.statements == 0 {
        notes.push(format!(
            "{} has no statements: log_min_duration_statement = 0 has a server write them",
            file.display()
        ));
    }
    Ok(())
}

/// Folders of what others have written, or a compiler.
const OTHERS: &[&str] = &["node_modules", "target", "vendor", "__pycache__", "venv"];
/// A larger file is no program that a person has written.
const LARGEST: u64 = 4 << 20;

struct Walk<'w> {
    notes: &'w mut Vec<String>,
    /// Folders that were entered, by what they really are: links may lead back.
    seen: HashSet<PathBuf>,
    found: Vec<(PathBuf, Language, Vec<Literal>)>,
}

impl Walk<'_> {
    fn enter(&mut self, start: &Path) -> io::Result<()> {
        if !fs::metadata(start)?.is_dir() {
            return self.file(start);
        }
        let mut open = vec![start.to_owned()];
        while let Some(folder) = open.pop() {
            let entries = match self.entries(&folder) {
                Err(error) if folder != start => {
                    self.notes.push(format!("{} can't be read: {error}", folder.display()));
                    continue;
                }
                entries => entries?,
            };
            for path in entries {
                match fs::metadata(&path) {
                    Ok(found) if found.is_dir() && !is_others(&path) => open.push(path),
                    Ok(found) if found.is_file() => {
                        if let Err(error) = self.file(&path) {
                            self.notes.push(format!("{} can't be read: {error}", path.display()));
                        }
                    }
                    // Neither is a link to nothing.
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// What is in a folder, by names; nothing where it was entered already.
    fn entries(&mut self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        if !self.seen.insert(fs::canonicalize(folder)?) {
            return Ok(Vec::new());
        }
        let mut entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        entries.sort();
        Ok(entries)
    }

    fn file(&mut self, path: &Path) -> io::Result<()> {
        let Some(language) = Language::of(path) else { return Ok(()) };
        let size = fs::metadata(path)?.len();
        if size > LARGEST {
            self.notes.push(format!("{} was not read: it has {} MB", path.display(), size >> 20));
            return Ok(());
        }
        let source = String::from_utf8_lossy(&fs::read(path)?).into_owned();
        let Some(found) = literals(language, &source) else {
            self.notes.push(format!("{} was not read: it is not whole", path.display()));
            return Ok(());
        };
        self.found.push((path.to_owned(), language, found));
        Ok(())
    }
}

fn is_others(folder: &Path) -> bool {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with('.') || OTHERS.contains(&name)
}
