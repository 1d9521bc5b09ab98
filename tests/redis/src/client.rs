//! As much of Redis' protocol as setting up a server takes.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection that asks one thing after the other.
#[derive(Debug)]
pub struct Client(BufReader<TcpStream>);

impl Client {
    /// Connects.
    ///
    /// # Errors
    ///
    /// When nobody listens there.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Asks, and answers with the text of the reply; what a list holds comes line by line, and nothing is no text.
    ///
    /// # Errors
    ///
    /// When the server says no, with its words, or cannot be heard.
    pub fn ask(&mut self, command: &[&str]) -> io::Result<String> {
        let mut request = format!("*{}\r\n", command.len());
        for word in command {
            request += &format!("${}\r\n{word}\r\n", word.len());
        }
        self.0.get_mut().write_all(request.as_bytes())?;
        self.reply()
    }

    fn reply(&mut self) -> io::Result<String> {
        let line = self.line()?;
        let (kind, rest) = line.split_at_checked(1).ok_or_else(strange)?;
        match kind {
            "+" | ":" => Ok(rest.to_owned()),
            "-" => Err(io::Error::other(rest.to_owned())),
            "$" if rest == "-1" => Ok(String::new()),
            "$" => self.text(length(rest)?),
            "*" => {
                let parts: io::Result<Vec<_>> = (0..length(rest)?).map(|_| self.reply()).collect();
                parts.map(|parts| parts.join("\n"))
            }
            _ => Err(strange()),
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }

    fn text(&mut self, length: usize) -> io::Result<String> {
        let mut bytes = vec![0; length + 2];
        self.0.read_exact(&mut bytes)?;
        bytes.truncate(length);
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// A length; that of nothing is 0.
fn length(text: &str) -> io::Result<usize> {
    let length: i64 = text.parse().map_err(|_| strange())?;
    Ok(usize::try_from(length).unwrap_or_default())
}

fn strange() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "that is not Redis' protocol")
}
