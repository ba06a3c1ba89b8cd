//! `jsonlog`: one document on each line.

use std::io::{self, BufRead};

use serde::Deserialize;

use super::{LONGEST, Reader, next_line};

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    pid: u64,
    dbname: Option<String>,
    error_severity: Option<String>,
    message: Option<String>,
}

pub(super) fn read(input: &mut dyn BufRead, reader: &mut Reader<'_>) -> io::Result<()> {
    let mut line = String::new();
    while next_line(input, &mut line)? {
        // What is broken off is left out.
        let Ok(Line { pid, dbname, error_severity, message }) = serde_json::from_str(&line) else { continue };
        let message = message.filter(|message| message.len() <= LONGEST).unwrap_or_default();
        if error_severity.as_deref() == Some("LOG") {
            reader.take(&pid.to_string(), dbname.as_deref(), &message);
        }
    }
    Ok(())
}
