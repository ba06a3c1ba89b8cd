//! Logs as text: messages begin behind a prefix that is the administrator's choice, and go on in lines that begin with a tab.

use std::io::{self, BufRead};

use super::{LONGEST, Reader, next_line};

const SEVERITIES: &[&str] = &[
    "LOG:  ",
    "ERROR:  ",
    "FATAL:  ",
    "PANIC:  ",
    "WARNING:  ",
    "NOTICE:  ",
    "INFO:  ",
    "DETAIL:  ",
    "HINT:  ",
    "CONTEXT:  ",
    "QUERY:  ",
    "STATEMENT:  ",
    "LOCATION:  ",
    "DEBUG:  ",
];

pub(super) fn read(input: &mut dyn BufRead, reader: &mut Reader<'_>) -> io::Result<()> {
    let mut line = String::new();
    let mut open: Option<(String, String)> = None;
    while next_line(input, &mut line)? {
        if let Some(more) = line.strip_prefix('\t') {
            if let Some((_, message)) = open.as_mut().filter(|(_, message)| message.len() < LONGEST) {
                message.push('\n');
                message.push_str(more);
            }
            continue;
        }
        close(open.take(), reader);
        let begin = SEVERITIES.iter().filter_map(|severity| Some((line.find(severity)?, *severity))).min();
        if let Some((at, severity)) = begin.filter(|(_, severity)| *severity == "LOG:  ") {
            open = Some((process(&line[..at]), line[at + severity.len()..].to_owned()));
        }
    }
    close(open, reader);
    Ok(())
}

fn close(open: Option<(String, String)>, reader: &mut Reader<'_>) {
    if let Some((process, message)) = open {
        reader.take(&process, None, &message);
    }
}

/// The process that a prefix names: `[1234]`, as the usual one has it. Without one all are one.
fn process(prefix: &str) -> String {
    let inner = prefix.split('[').skip(1).filter_map(|rest| rest.split(['-', ']']).next());
    let number = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    inner.into_iter().find(number).unwrap_or_default().to_owned()
}
