//! What this process takes of the machine, as the kernel says.

use std::fs;

#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Resident, in kB.
    pub memory: i64,
    pub descriptors: usize,
}

impl Usage {
    pub fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let memory = resident.trim().trim_end_matches(" kB").parse().unwrap();
        Self { memory, descriptors: fs::read_dir("/proc/self/fd").unwrap().count() }
    }
}
