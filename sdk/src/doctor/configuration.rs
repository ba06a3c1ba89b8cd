//! What can be said of a configuration that is valid.

use super::{Finding, Subject};
use crate::config::{Config, is_open_to_others, is_open_to_strangers};

pub(super) fn look(config: &Config) -> Vec<Finding> {
    let tried = "reading the file, its profile and the environment";
    let mut findings = vec![Finding::fine(Subject::Configuration, None, tried, "all keys are known, and fit together")];
    let tried = "who can read the files of passwords and keys";
    // A password file of libpq's kind is refused where its group can read it as well; one that holds a password alone, and a key,
    // may be read by the group where they are root's.
    let passfiles = config.passfile.iter().map(|path| (path, true));
    let keys = config.tls.iter().filter_map(|tls| tls.key_file.as_ref());
    let files = passfiles.chain(config.password_files.iter().chain(keys).map(|path| (path, false)));
    for (path, is_passfile) in files {
        let shown = path.display();
        let is_open = std::fs::metadata(path)
            .map(|file| if is_passfile { is_open_to_others(&file) } else { is_open_to_strangers(&file) });
        findings.push(match is_open {
            Ok(false) => Finding::fine(Subject::Configuration, None, tried, format!("{shown}: its owner alone")),
            Ok(true) => Finding::warning(
                Subject::Configuration,
                None,
                tried,
                format!("{shown} has group or world access"),
                &format!("make it yours alone: chmod 0600 {shown}"),
            ),
            Err(error) => Finding::critical(
                Subject::Configuration,
                None,
                tried,
                format!("{shown} can't be looked at: {error}"),
                "name a file that is there, and that this process can read",
            ),
        });
    }
    findings
}
