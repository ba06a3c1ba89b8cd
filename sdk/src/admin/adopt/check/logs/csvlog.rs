//! `csvlog`: 23 columns up to PostgreSQL 12, 24 in 13, 26 since.

use std::io::{self, BufRead, Read};

use super::{LONGEST, Reader};

const DATABASE: usize = 2;
const PROCESS: usize = 3;
const SEVERITY: usize = 11;
const MESSAGE: usize = 13;

/// Whether a log that begins so is one.
pub(super) fn is_one(begin: &[u8]) -> bool {
    let mut record = csv::ByteRecord::new();
    let is_read = reader(begin).read_byte_record(&mut record).unwrap_or(false);
    is_read && is_line(&record)
}

fn is_line(record: &csv::ByteRecord) -> bool {
    let severity = record.get(SEVERITY).unwrap_or_default();
    (23..=30).contains(&record.len()) && !severity.is_empty() && severity.iter().all(u8::is_ascii_alphanumeric)
}

pub(super) fn read(input: &mut dyn BufRead, told: &mut Reader<'_>) -> io::Result<()> {
    let mut reader = reader(input);
    let mut record = csv::ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) => {}
            Err(error) => return Err(error.into()),
        }
        let field = |at: usize| String::from_utf8_lossy(record.get(at).unwrap_or_default());
        if is_line(&record) && field(SEVERITY) == "LOG" && field(MESSAGE).len() <= LONGEST {
            told.take(&field(PROCESS), Some(&field(DATABASE)), &field(MESSAGE));
        }
    }
}

fn reader<R: Read>(input: R) -> csv::Reader<R> {
    csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(input)
}
