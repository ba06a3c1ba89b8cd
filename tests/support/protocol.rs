//! PostgreSQL's messages as they go by, so that a proxy knows at which place of the protocol it is (manual, 55.7).

/// What a client sends, and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    LogIn,
    Begin,
    Parse,
    Execute,
    Commit,
    Other,
}

impl Message {
    /// Those that a proxy can wait for.
    pub const ALL: [Self; 5] = [Self::LogIn, Self::Begin, Self::Parse, Self::Execute, Self::Commit];

    fn of_client(bytes: &[u8]) -> Self {
        match bytes {
            [b'P', ..] => Self::Parse,
            [b'E', ..] => Self::Execute,
            [b'Q', _, _, _, _, text @ ..] if text.starts_with(b"BEGIN") => Self::Begin,
            [b'Q', _, _, _, _, text @ ..] if text.starts_with(b"COMMIT") => Self::Commit,
            _ => Self::Other,
        }
    }

    /// Whether this message of the server answers it. An error answers all of them.
    pub fn is_answered_by(self, bytes: &[u8]) -> bool {
        match (self, bytes) {
            (_, [b'E', ..]) => true,
            (Self::LogIn, _) => true,
            (Self::Begin, [b'C', _, _, _, _, tag @ ..]) => tag.starts_with(b"BEGIN"),
            (Self::Commit, [b'C', _, _, _, _, tag @ ..]) => tag.starts_with(b"COMMIT") || tag.starts_with(b"ROLLBACK"),
            (Self::Parse, [b'1', ..]) | (Self::Execute, [b'C', ..]) => true,
            _ => false,
        }
    }
}

/// Cuts a stream into whole messages.
pub struct Reader {
    pending: Vec<u8>,
    state: State,
}

enum State {
    /// A client's first message has no type.
    First,
    Typed,
    /// TLS, or a request to cancel: not looked at any more.
    Opaque,
}

impl Reader {
    pub fn of_client() -> Self {
        Self { pending: Vec::new(), state: State::First }
    }

    pub fn of_server() -> Self {
        Self { pending: Vec::new(), state: State::Typed }
    }

    /// From now on nothing is looked at.
    pub fn give_up(&mut self) {
        self.state = State::Opaque;
    }

    pub fn is_opaque(&self) -> bool {
        matches!(self.state, State::Opaque)
    }

    /// The messages that are whole by now.
    pub fn read(&mut self, bytes: &[u8]) -> Vec<(Message, Vec<u8>)> {
        self.pending.extend_from_slice(bytes);
        let mut messages = Vec::new();
        while let Some(message) = self.next() {
            messages.push(message);
        }
        messages
    }

    fn next(&mut self) -> Option<(Message, Vec<u8>)> {
        const LOG_IN: u32 = 196_608;
        if self.pending.is_empty() {
            return None;
        }
        match self.state {
            State::Opaque => Some((Message::Other, std::mem::take(&mut self.pending))),
            State::First => {
                let (length, kind) = (self.number(0)?, self.number(4)?);
                let bytes = self.take(length)?;
                self.state = if kind == LOG_IN { State::Typed } else { State::Opaque };
                Some((if kind == LOG_IN { Message::LogIn } else { Message::Other }, bytes))
            }
            State::Typed => {
                let length = self.number(1)?;
                let bytes = self.take(length + 1)?;
                Some((Message::of_client(&bytes), bytes))
            }
        }
    }

    fn number(&self, at: usize) -> Option<u32> {
        let bytes = self.pending.get(at..at + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().unwrap()))
    }

    fn take(&mut self, length: u32) -> Option<Vec<u8>> {
        let length = usize::try_from(length).unwrap();
        (self.pending.len() >= length).then(|| self.pending.drain(..length).collect())
    }
}
