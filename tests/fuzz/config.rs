//! Any text for the parser of the configuration.

use std::error::Error;

use shardwise::Config;

/// Stands in the text in front of whatever comes. No word of it may be told.
const SECRET: &str = "correct-horse-battery-staple";

/// Whatever the text: there is a configuration or an error, and no error tells the password.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // A file that the text names would be read.
    if text.contains("_file") || text.contains('\\') {
        return;
    }
    tried(Config::from_toml(text), None);
    tried(Config::from_toml(&format!("[default]\npassword = \"{SECRET}\"\n{text}")), Some(text));
    tried(Config::from_url(text), None);
    tried(Config::from_url(&format!("postgres://app:{SECRET}@{text}")), Some(text));
}

fn tried(config: shardwise::Result<Config>, planted: Option<&str>) {
    let told = match config {
        Ok(config) => format!("{config:?}"),
        Err(error) => {
            let mut told = format!("{error} {error:?}");
            let mut source = error.source();
            while let Some(error) = source {
                told.push_str(&format!(" {error} {error:?}"));
                source = error.source();
            }
            told
        }
    };
    if let Some(text) = planted
        && !text.contains(SECRET)
    {
        assert!(!told.contains(SECRET), "the password is told: {told}");
    }
}
