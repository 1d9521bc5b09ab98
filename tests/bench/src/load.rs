//! A client that costs little, so that what is measured is the server: it reuses its connections, sends always the
//! same request, and reads of an answer only what it must.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use futures_util::future::try_join_all;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    runtime,
    time::Instant,
};

use crate::{bare::GREETING, sample::Sample};

/// What a browser or a proxy sends at the least.
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: bench\r\naccept: */*\r\n\r\n";

/// What a server did for some time.
pub(crate) struct Load {
    pub(crate) per_second: f64,
    /// Of single requests, in microseconds.
    pub(crate) times: Sample,
    pub(crate) requests: u32,
}

/// Keeps a server busy for `span`, over that many connections, from a thread of its own.
pub(crate) fn load(address: SocketAddr, connections: usize, span: Duration) -> Result<Load> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let lines = (0..connections).map(|_| Line::open(address));
        let lines = try_join_all(lines).await?;
        let start = Instant::now();
        let times =
            try_join_all(lines.into_iter().map(|line| line.ask_until(start + span))).await?;
        let took = start.elapsed();
        let times: Vec<f64> = times.into_iter().flatten().collect();
        let requests = u32::try_from(times.len())?;
        let per_second = f64::from(requests) / took.as_secs_f64();
        Ok(Load {
            per_second,
            times: times.into_iter().collect(),
            requests,
        })
    })
}

/// One connection.
struct Line {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Line {
    async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            answer: Vec::with_capacity(4096),
        })
    }

    /// Asks again and again; answers with how long each request took, in microseconds.
    async fn ask_until(mut self, end: Instant) -> Result<Vec<f64>> {
        let mut times = Vec::new();
        let mut start = Instant::now();
        while start < end {
            self.ask().await?;
            let now = Instant::now();
            times.push((now - start).as_secs_f64() * 1e6);
            start = now;
        }
        Ok(times)
    }

    async fn ask(&mut self) -> Result<()> {
        self.answer.clear();
        self.stream.write_all(REQUEST).await?;
        while !is_whole(&self.answer)? {
            let read = self.stream.read_buf(&mut self.answer).await?;
            ensure!(read > 0, "the server closed a connection");
        }
        Ok(())
    }
}

/// Whether an answer is there to its end; an error if it is not the one that is expected.
fn is_whole(answer: &[u8]) -> Result<bool> {
    let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(false);
    };
    let (head, body) = answer.split_at(head + 4);
    if !head.starts_with(b"HTTP/1.1 200") {
        bail!("unexpected answer: {}", String::from_utf8_lossy(answer));
    }
    let end = match length(head)? {
        Some(length) if body.len() < length => return Ok(false),
        Some(_) => body,
        // In chunks: the last one is empty.
        None => match body.strip_suffix(b"\r\n0\r\n\r\n") {
            Some(body) => body,
            None => return Ok(false),
        },
    };
    ensure!(
        end.ends_with(GREETING.as_bytes()),
        "unexpected body: {}",
        String::from_utf8_lossy(answer)
    );
    Ok(true)
}

/// The announced length of a body. All servers here write names in lower case.
fn length(head: &[u8]) -> Result<Option<usize>> {
    const NAME: &[u8] = b"\r\ncontent-length: ";
    let Some(at) = head.windows(NAME.len()).position(|name| name == NAME) else {
        return Ok(None);
    };
    let rest = head.get(at + NAME.len()..).unwrap_or_default();
    let digits = rest.split(|byte| *byte == b'\r').next().unwrap_or_default();
    Ok(Some(
        std::str::from_utf8(digits)?
            .parse()
            .context("content-length is not a number")?,
    ))
}

#[cfg(test)]
mod tests {
    use super::is_whole;

    #[test]
    fn an_answer_is_whole_when_its_length_is_there() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 23\r\n\r\nHello from a component\n";
        assert!(is_whole(answer).unwrap());
        for cut in 0..answer.len() {
            assert!(!is_whole(&answer[..cut]).unwrap(), "{cut}");
        }
    }

    #[test]
    fn an_answer_in_chunks_is_whole_with_the_empty_one() {
        let answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n17\r\nHello from a component\n\r\n0\r\n\r\n";
        assert!(is_whole(answer).unwrap());
        assert!(!is_whole(&answer[..answer.len() - 5]).unwrap());
    }

    #[test]
    fn other_answers_are_not_counted() {
        assert!(
            is_whole(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n").is_err()
        );
        assert!(is_whole(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nno").is_err());
    }
}
