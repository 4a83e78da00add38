//! A SOCKS5 proxy (RFC 1928) without authentication, as small as a test needs.

use anyhow::{Context, Result, ensure};
use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::mpsc::{self, Receiver},
    thread,
};

/// A proxy that tells where its clients wanted to go.
#[derive(Debug)]
pub struct Socks {
    url: String,
    wanted: Receiver<String>,
}

impl Socks {
    /// Listens on a port that the system picks.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("socks5h://{}", listener.local_addr()?);
        let (tell, wanted) = mpsc::channel();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let tell = tell.clone();
                thread::spawn(move || {
                    // A client that breaks off is not the proxy's trouble.
                    let _ = serve(client, |place| drop(tell.send(place)));
                });
            }
        });
        Ok(Self { url, wanted })
    }

    /// `socks5h://HOST:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The places that clients asked for since the last look.
    pub fn wanted(&self) -> Vec<String> {
        self.wanted.try_iter().collect()
    }
}

fn serve(mut client: TcpStream, tell: impl Fn(String)) -> Result<()> {
    let [version, methods] = bytes(&mut client)?;
    ensure!(version == 5, "not SOCKS5");
    client.read_exact(&mut vec![0; methods.into()])?;
    client.write_all(&[5, 0])?;
    let place = place(&mut client)?;
    tell(place.clone());
    let server = TcpStream::connect(&place).context("the place is not reachable")?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    both_ways(client, server)
}

/// Reads `CONNECT` and gives back `HOST:PORT`.
fn place(client: &mut TcpStream) -> Result<String> {
    let [version, command, _, kind] = bytes(client)?;
    ensure!((version, command) == (5, 1), "not a CONNECT");
    let host = match kind {
        1 => std::net::Ipv4Addr::from(bytes::<4>(client)?).to_string(),
        4 => format!("[{}]", std::net::Ipv6Addr::from(bytes::<16>(client)?)),
        _ => {
            let [length] = bytes(client)?;
            let mut name = vec![0; length.into()];
            client.read_exact(&mut name)?;
            String::from_utf8(name)?
        }
    };
    Ok(format!("{host}:{}", u16::from_be_bytes(bytes(client)?)))
}

fn both_ways(client: TcpStream, server: TcpStream) -> Result<()> {
    let (from, to) = (client.try_clone()?, server.try_clone()?);
    thread::scope(|scope| {
        scope.spawn(|| pass(from, to));
        pass(server, client);
    });
    Ok(())
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    // However it ends, both directions end.
    let _ = io::copy(&mut from, &mut to);
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

fn bytes<const N: usize>(client: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    client.read_exact(&mut bytes)?;
    Ok(bytes)
}
