//! A value that one operation makes and others wait for.

use tokio::sync::watch;

/// A value that comes once, or turns out not to come.
#[derive(Debug)]
pub(super) struct Slot<T>(watch::Sender<State<T>>);

#[derive(Debug, Clone)]
enum State<T> {
    Pending,
    Filled(T),
    Void,
}

impl<T: Clone> Slot<T> {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(State::Pending))
    }

    /// So many empty slots.
    pub(super) fn many(count: usize) -> Vec<Self> {
        std::iter::repeat_with(Self::new).take(count).collect()
    }

    /// Gives the value to all who wait, or tells them that there is none.
    pub(super) fn fill(&self, value: Option<T>) {
        self.0.send_replace(value.map_or(State::Void, State::Filled));
    }

    /// Waits for the value; None where there is none.
    pub(super) async fn get(&self) -> Option<T> {
        let mut updates = self.0.subscribe();
        // The sender lives in `self`, so the wait ends with a value.
        let state = updates.wait_for(|state| !matches!(state, State::Pending)).await.ok()?;
        match &*state {
            State::Filled(value) => Some(value.clone()),
            State::Pending | State::Void => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Slot;

    #[tokio::test]
    async fn all_who_wait_get_the_value() {
        let slot = Slot::new();
        let ((), first, second) = tokio::join!(async { slot.fill(Some(7)) }, slot.get(), slot.get());
        assert_eq!((first, second, slot.get().await), (Some(7), Some(7), Some(7)));
        let void = Slot::<u8>::new();
        void.fill(None);
        assert_eq!(void.get().await, None);
    }
}
