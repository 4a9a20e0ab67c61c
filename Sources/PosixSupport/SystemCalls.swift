// The calls whose names Swift methods would hide, under names of their own.
#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

func openFile(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 { open(path, flags, mode) }
func openFile(_ path: UnsafePointer<CChar>, _ flags: Int32, _ mode: mode_t) -> Int32 { open(path, flags, mode) }
func systemPipe(_ ends: UnsafeMutablePointer<Int32>) -> Int32 { pipe(ends) }
func systemRead(_ fd: Int32, _ memory: UnsafeMutableRawPointer, _ count: Int) -> Int { read(fd, memory, count) }
func systemWrite(_ fd: Int32, _ memory: UnsafeRawPointer, _ count: Int) -> Int { write(fd, memory, count) }
func systemClose(_ fd: Int32) -> Int32 { close(fd) }
func systemPoll(_ set: UnsafeMutablePointer<pollfd>, _ count: nfds_t, _ timeout: Int32) -> Int32 { poll(set, count, timeout) }
func systemKill(_ pid: pid_t, _ signal: Int32) -> Int32 { kill(pid, signal) }
