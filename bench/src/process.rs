//! What a process of this machine has used, as Linux tells in `/proc`.

use std::fs;
use std::io;
use std::path::Path;

/// A process that can be asked for its use of the machine.
#[derive(Clone, Copy, Debug)]
pub struct Process {
    /// Its number.
    pub pid: u32,
}

/// What a process has used since it started.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// User and system time of all threads, also of those that have ended.
    pub cpu_secs: f64,
    /// The most memory that was ever resident.
    pub resident_bytes_peak: u64,
}

/// `USER_HZ`: what `/proc` counts CPU time in, on every architecture that Rust's standard library supports on
/// Linux.
const TICKS_PER_SEC: f64 = 100.0;

impl Process {
    /// This process.
    pub fn own() -> Self {
        Self { pid: std::process::id() }
    }

    /// The process that listens on a TCP port of this machine, if it is there and we may look at it.
    pub fn listening_on(port: u16) -> Option<Self> {
        let tables =
            ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
        let sockets: Vec<String> = tables
            .iter()
            .flat_map(|table| listening_inodes(table, port))
            .map(|inode| format!("socket:[{inode}]"))
            .collect();
        let processes = fs::read_dir("/proc").ok()?.flatten();
        let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.map(|pid| Self { pid }).find(|process| process.has_open(&sockets))
    }

    fn has_open(self, sockets: &[String]) -> bool {
        let Ok(descriptors) = fs::read_dir(format!("/proc/{}/fd", self.pid)) else { return false };
        descriptors.flatten().any(|descriptor| {
            fs::read_link(descriptor.path())
                .is_ok_and(|target| sockets.iter().any(|socket| target.as_path() == Path::new(socket)))
        })
    }

    /// What it has used until now.
    pub fn usage(self) -> io::Result<Usage> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let unreadable =
            || io::Error::new(io::ErrorKind::InvalidData, "unknown form of /proc/PID/stat or status");
        Ok(Usage {
            cpu_secs: cpu_ticks(&stat).ok_or_else(unreadable)? as f64 / TICKS_PER_SEC,
            resident_bytes_peak: resident_kib_peak(&status).ok_or_else(unreadable)? * 1024,
        })
    }

    /// Memory that is resident now.
    pub fn resident_bytes(self) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let kib = kib_of(&status, "VmRSS:").ok_or(io::ErrorKind::InvalidData)?;
        Ok(kib * 1024)
    }
}

/// The inodes of the sockets that listen on `port`, from a table as in `/proc/net/tcp`.
fn listening_inodes(table: &str, port: u16) -> impl Iterator<Item = &str> {
    const LISTEN: &str = "0A";
    let port = format!(":{port:04X}");
    table.lines().skip(1).filter_map(move |line| {
        let mut columns = line.split_whitespace();
        let (local, state) = (columns.nth(1)?, columns.nth(1)?);
        (local.ends_with(&port) && state == LISTEN).then(|| columns.nth(5)).flatten()
    })
}

/// `utime` and `stime`: the 14th and 15th field. The second, in parentheses, may contain anything.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(user + system)
}

fn resident_kib_peak(status: &str) -> Option<u64> {
    kib_of(status, "VmHWM:")
}

/// What stands behind `name` in `/proc/PID/status`.
fn kib_of(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_found_behind_any_process_name() {
        let tail = "S 1 2 3 0 -1 4194304 500 0 1 0 1234 66 7 8 20 0 4 0 99 1000 200";
        assert_eq!(cpu_ticks(&format!("42 (groundwatch) {tail}")), Some(1_300));
        assert_eq!(cpu_ticks(&format!("42 (odd) name) 7) {tail}")), Some(1_300));
        assert_eq!(cpu_ticks("42 (cut) S 1 2"), None);
    }

    #[test]
    fn peak_memory_is_the_high_water_mark() {
        assert_eq!(resident_kib_peak("VmPeak:\t 900 kB\nVmHWM:\t   512 kB\nVmRSS:\t 100 kB\n"), Some(512));
        assert_eq!(resident_kib_peak("Name:\tkernel thread\n"), None);
    }

    #[test]
    fn only_listening_sockets_of_the_port_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            \u{20}  0: 0100007F:11D6 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 777 1 0\n\
            \u{20}  1: 0100007F:11D6 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 778 1 0\n\
            \u{20}  2: 0100007F:11D7 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 779 1 0\n";
        assert_eq!(listening_inodes(table, 4566).collect::<Vec<_>>(), ["777"]);
    }

    #[test]
    fn this_process_is_found_by_the_port_that_it_listens_on() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let found = Process::listening_on(port).expect("it listens");
        assert_eq!(found.pid, Process::own().pid);
        assert!(found.usage().expect("it is ours").resident_bytes_peak > 100_000);
    }
}
