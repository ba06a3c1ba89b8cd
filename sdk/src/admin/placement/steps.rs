//! Tells the caller what is about to happen.

use crate::admin::Progress;

/// Counts the steps and tells of each before it runs.
pub(super) struct Steps<'a> {
    number: usize,
    total: usize,
    tell: &'a mut (dyn FnMut(Progress<'_>) + Send),
}

impl<'a> Steps<'a> {
    pub(super) fn new(tell: &'a mut (dyn FnMut(Progress<'_>) + Send)) -> Self {
        Self { number: 0, total: 0, tell }
    }

    /// Says that there are so many more than was known.
    pub(super) fn expect(&mut self, more: usize) {
        self.total += more;
    }

    /// The next step is about to run.
    pub(super) fn next(&mut self, title: &str) {
        self.number += 1;
        (self.tell)(Progress { number: self.number, total: self.total.max(self.number), title });
    }

    /// Something that is no step.
    pub(super) fn aside(&mut self, title: &str) {
        (self.tell)(Progress { number: self.number, total: self.total, title });
    }
}
