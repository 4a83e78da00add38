//! Somebody in the middle of a line, who cuts, holds, garbles or passes on.

use anyhow::Result;
use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

/// What the one in the middle does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Passes everything on.
    Pass,
    /// Hangs up at once.
    Refuse,
    /// Takes everything and passes nothing on, until the mood changes.
    Hold,
    /// Passes so many bytes of the server on, on each line, and hangs up in the middle of things.
    CutAfter(usize),
    /// Turns one bit of the server's bytes after so many.
    Garble(usize),
}

/// A listener that passes lines on to a server.
#[derive(Debug)]
pub struct Middle {
    authority: String,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    mood: Mutex<Mood>,
    changed: Condvar,
    lines: Mutex<Vec<TcpStream>>,
    target: String,
}

impl Middle {
    /// Listens, and passes on to `target` (`HOST:PORT`).
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn before(target: &str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let authority = listener.local_addr()?.to_string();
        let shared = Arc::new(Shared {
            mood: Mutex::new(Mood::Pass),
            changed: Condvar::new(),
            lines: Mutex::default(),
            target: target.to_owned(),
        });
        let own = Arc::clone(&shared);
        thread::spawn(move || {
            for line in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&own);
                thread::spawn(move || shared.serve(line));
            }
        });
        Ok(Self { authority, shared })
    }

    /// The address under which the one in the middle is taken for the server.
    pub fn address(&self, fingerprint: &str) -> String {
        format!("undertone://{}/#{fingerprint}", self.authority)
    }

    /// Changes the mood; lines that exist feel it too.
    pub fn feel(&self, mood: Mood) {
        *locked(&self.shared.mood) = mood;
        self.shared.changed.notify_all();
        if mood != Mood::Pass && mood != Mood::Hold {
            self.hang_up();
        }
    }

    /// Ends all lines that exist.
    pub fn hang_up(&self) {
        for line in locked(&self.shared.lines).drain(..) {
            // It may have ended by itself.
            let _ = line.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn serve(&self, client: TcpStream) {
        if *locked(&self.mood) == Mood::Refuse {
            return;
        }
        let Ok(server) = TcpStream::connect(&self.target) else { return };
        let (Ok(from), Ok(to)) = (client.try_clone(), server.try_clone()) else { return };
        let (Ok(one), Ok(other)) = (client.try_clone(), server.try_clone()) else { return };
        locked(&self.lines).extend([one, other]);
        thread::scope(|scope| {
            scope.spawn(|| self.pass(from, to, false));
            self.pass(server, client, true);
        });
    }

    /// Passes on one direction until it ends; then both end.
    fn pass(&self, mut from: TcpStream, mut to: TcpStream, of_server: bool) {
        let mut bytes = [0; 1024];
        let mut passed = 0;
        while let Ok(read @ 1..) = from.read(&mut bytes) {
            let piece = &mut bytes[..read];
            let kept = self.touch(piece, passed, of_server);
            if to.write_all(&piece[..kept]).is_err() || kept < read {
                break;
            }
            passed += read;
        }
        // Either may have ended by itself.
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }

    /// Does to a piece what the mood says; how much of it goes on.
    fn touch(&self, piece: &mut [u8], passed: usize, of_server: bool) -> usize {
        let held = locked(&self.mood);
        let mood = self
            .changed
            .wait_while(held, |mood| *mood == Mood::Hold)
            .unwrap_or_else(PoisonError::into_inner);
        match *mood {
            Mood::Pass | Mood::Hold => piece.len(),
            Mood::Refuse => 0,
            _ if !of_server => piece.len(),
            Mood::CutAfter(limit) => piece.len().min(limit.saturating_sub(passed)),
            Mood::Garble(at) => {
                if let Some(byte) = at.checked_sub(passed).and_then(|at| piece.get_mut(at)) {
                    *byte ^= 1;
                }
                piece.len()
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing is left half-done under these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
