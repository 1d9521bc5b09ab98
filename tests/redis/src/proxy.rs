//! A line to a server that a test can cut, slow down, and rob of replies.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

use crate::PAUSE;

/// A listener that passes on what it hears to a server. Dropping it cuts the line.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    line: Arc<Line>,
}

/// What happens to what is said.
#[derive(Debug)]
struct Line {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    server: SocketAddr,
    is_cut: bool,
    is_held: bool,
    is_over: bool,
    delay: Duration,
    /// The reply to a request that has this in it is to be lost.
    loses_reply_to: Option<Vec<u8>>,
    /// Only so many bytes of a request that has this in it are to arrive.
    breaks: Option<(Vec<u8>, usize)>,
    /// How many replies were lost and requests broken.
    done: usize,
    connections: Vec<TcpStream>,
}

/// Both ends of one connection.
#[derive(Debug)]
struct Ends {
    client: TcpStream,
    server: TcpStream,
}

// === impl Proxy ===

impl Proxy {
    /// Listens on a free port for who wants to talk to `server`.
    ///
    /// # Errors
    ///
    /// When there is no free port.
    pub fn start(server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let line = Arc::new(Line {
            state: Mutex::new(State::new(server)),
        });
        let listening = Arc::clone(&line);
        thread::spawn(move || listening.accept(&listener));
        Ok(Self { address, line })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, for clients of a server without a password; [`crate::Server::url_at`] knows of others.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Ends all connections, and every new one at once.
    pub fn cut(&self) {
        let mut state = self.line.state();
        state.is_cut = true;
        state.hang_up();
    }

    /// Ends all connections; new ones go through.
    pub fn hang_up(&self) {
        self.line.state().hang_up();
    }

    /// Lets connections through again, and what was held back.
    pub fn mend(&self) {
        let mut state = self.line.state();
        state.is_cut = false;
        state.is_held = false;
    }

    /// Holds back whatever is said from now on, either way; nobody is told. What was said arrives once the line is mended.
    pub fn hold(&self) {
        self.line.state().is_held = true;
    }

    /// Ends all connections; new ones lead to another server.
    pub fn lead_to(&self, server: SocketAddr) {
        let mut state = self.line.state();
        state.server = server;
        state.hang_up();
    }

    /// Holds back every reply for so long at least, and twice as long at most.
    pub fn delay(&self, delay: Duration) {
        self.line.state().delay = delay;
    }

    /// Loses the reply to the next request, and ends its connection: the server has done it, and nobody hears of it.
    pub fn swallow_next_reply(&self) {
        self.swallow_reply_to("");
    }

    /// The same for the next request that has this text in it.
    pub fn swallow_reply_to(&self, text: &str) {
        self.line.state().loses_reply_to = Some(text.as_bytes().to_vec());
    }

    /// Passes on only the first bytes of the next request that has this text in it, and ends its connection.
    pub fn break_request(&self, text: &str, bytes: usize) {
        self.line.state().breaks = Some((text.as_bytes().to_vec(), bytes));
    }

    /// How many replies were lost and requests broken so far.
    pub fn done(&self) -> usize {
        self.line.state().done
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.line.state().is_over = true;
        self.mend();
        self.cut();
        // The listener waits for somebody before it looks whether it is over.
        let _ = TcpStream::connect(self.address);
    }
}

// === impl Line ===

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            if self.state().is_over {
                return;
            }
            // Whoever cannot be connected hears that his connection has ended.
            let _ = client.and_then(|client| self.connect(client));
        }
    }

    fn connect(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        if self.state().is_cut {
            return client.shutdown(Shutdown::Both);
        }
        let address = self.state().server;
        let server = TcpStream::connect(address)?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let ends = Arc::new(Ends { client, server });
        {
            let mut state = self.state();
            state.connections.push(ends.client.try_clone()?);
            state.connections.push(ends.server.try_clone()?);
            // The server may have become another since.
            if state.is_cut || state.server != address {
                state.hang_up();
            }
        }
        let is_lost = Arc::new(Mutex::new(false));
        let (say, hear) = mpsc::channel();
        let (line, up, lost) = (Arc::clone(self), Arc::clone(&ends), Arc::clone(&is_lost));
        thread::spawn(move || line.pass_requests(&up, &lost));
        let (line, down) = (Arc::clone(self), Arc::clone(&ends));
        thread::spawn(move || line.take_replies(&down, &is_lost, &say));
        let line = Arc::clone(self);
        thread::spawn(move || line.pass_replies(&ends, &hear));
        Ok(())
    }

    fn wait_while_held(&self) {
        while self.state().is_held {
            thread::sleep(PAUSE);
        }
    }

    /// From the client to the server.
    fn pass_requests(&self, ends: &Ends, is_lost: &Mutex<bool>) {
        let mut buffer = vec![0; 64 << 10];
        while let Some(request) = read(&ends.client, &mut buffer) {
            self.wait_while_held();
            let (first, goes_on) = self.judge(request, is_lost);
            if (&ends.server).write_all(first).is_err() || !goes_on {
                break;
            }
        }
        ends.hang_up();
    }

    /// How much of a request is to arrive, and whether the connection goes on after it.
    fn judge<'a>(&self, request: &'a [u8], is_lost: &Mutex<bool>) -> (&'a [u8], bool) {
        let mut state = self.state();
        if state
            .breaks
            .as_ref()
            .is_some_and(|(text, _)| holds(request, text))
        {
            let bytes = state.breaks.take().map_or(0, |(_, bytes)| bytes);
            state.done += 1;
            return (request.get(..bytes).unwrap_or(request), false);
        }
        if state
            .loses_reply_to
            .as_ref()
            .is_some_and(|text| holds(request, text))
        {
            state.loses_reply_to = None;
            // Before the server hears of it, so that no reply is too early.
            *is_lost.lock().unwrap_or_else(PoisonError::into_inner) = true;
        }
        (request, true)
    }

    /// From the server, to be passed on when it is time.
    fn take_replies(&self, ends: &Ends, is_lost: &Mutex<bool>, say: &Sender<Vec<u8>>) {
        let mut buffer = vec![0; 64 << 10];
        while let Some(reply) = read(&ends.server, &mut buffer) {
            if *is_lost.lock().unwrap_or_else(PoisonError::into_inner) {
                self.state().done += 1;
                break;
            }
            if say.send(reply.to_vec()).is_err() {
                break;
            }
        }
        if *is_lost.lock().unwrap_or_else(PoisonError::into_inner) {
            ends.hang_up();
        }
    }

    /// To the client, in their order. What comes while others are held back is held back for as long again.
    fn pass_replies(&self, ends: &Ends, hear: &Receiver<Vec<u8>>) {
        while let Ok(mut replies) = hear.recv() {
            replies.extend(hear.try_iter().flatten());
            let delay = self.state().delay;
            thread::sleep(delay);
            self.wait_while_held();
            if (&ends.client).write_all(&replies).is_err() {
                break;
            }
        }
        ends.hang_up();
    }
}

// === impl State ===

impl State {
    fn new(server: SocketAddr) -> Self {
        Self {
            server,
            is_cut: false,
            is_held: false,
            is_over: false,
            delay: Duration::ZERO,
            loses_reply_to: None,
            breaks: None,
            done: 0,
            connections: Vec::new(),
        }
    }

    fn hang_up(&mut self) {
        for connection in self.connections.drain(..) {
            // An error means that it has ended already.
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

// === impl Ends ===

impl Ends {
    fn hang_up(&self) {
        // An error means that they have ended already.
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }
}

/// What comes next; nothing when the connection has ended.
fn read<'a>(mut from: &TcpStream, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    let length = from.read(buffer).ok().filter(|length| *length > 0)?;
    buffer.get(..length)
}

fn holds(request: &[u8], text: &[u8]) -> bool {
    text.is_empty() || request.windows(text.len()).any(|part| part == text)
}
