//! Tells the caller what is about to happen.

use crate::admin::Progress;

/// Counts the steps and tells of each before it runs.
pub(in crate::admin) struct Steps<'a> {
    number: usize,
    total: usize,
    tell: &'a mut (dyn FnMut(Progress<'_>) + Send),
}

impl<'a> Steps<'a> {
    pub(in crate::admin) fn new(tell: &'a mut (dyn FnMut(Progress<'_>) + Send)) -> Self {
        Self { number: 0, total: 0, tell }
    }

    /// Says that there are so many more than was known.
    pub(in crate::admin) fn expect(&mut self, more: usize) {
        self.total += more;
    }

    /// The next step is about to run.
    pub(in crate::admin) fn next(&mut self, title: &str) {
        self.number += 1;
        (self.tell)(Progress { number: self.number, total: self.total.max(self.number), title });
    }

    /// Something that is counted in its own way has come so far.
    pub(in crate::admin) fn reached(&mut self, number: usize, total: usize, title: &str) {
        (self.tell)(Progress { number, total: total.max(number), title });
    }

    /// Something that is no step.
    pub(in crate::admin) fn aside(&mut self, title: &str) {
        (self.tell)(Progress { number: self.number, total: self.total, title });
    }
}
