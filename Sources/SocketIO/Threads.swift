import CLinux
import Glibc

/// Starts a thread that nobody joins.
///
/// - Parameters:
///   - name: at most 15 bytes; shown by `top -H` and debuggers.
///   - stackSize: in bytes; the address space is reserved, memory is used as it is touched.
/// - Throws: ``SocketError`` when the system has no room for another thread.
public func startThread(
    _ name: String, stackSize: Int = 512 << 10, _ body: @escaping @Sendable () -> Void
) throws(SocketError) {
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    defer { unsafe pthread_attr_destroy(&attributes) }
    unsafe pthread_attr_setstacksize(&attributes, stackSize)
    unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    let box = unsafe Unmanaged.passRetained(ThreadBody(name, body))
    var thread = pthread_t()
    let code = unsafe pthread_create(
        &thread, &attributes,
        { argument in
            guard let argument = unsafe argument else { return nil }
            let body = unsafe Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue()
            body.setName()
            body.run()
            return nil
        }, box.toOpaque())
    guard code == 0 else {
        unsafe box.release()
        throw SocketError("cannot start a thread", code: code)
    }
}

private final class ThreadBody: Sendable {
    let name: String
    let run: @Sendable () -> Void

    init(_ name: String, _ run: @escaping @Sendable () -> Void) {
        self.name = String(decoding: name.utf8.prefix(15), as: UTF8.self)
        self.run = run
    }

    /// Through the file that pthread_setname_np writes, which Swift's Glibc does not show.
    ///
    /// A failure costs a name.
    func setName() {
        let file = unsafe open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = unsafe write(file, name, name.utf8.count)
        close(file)
    }
}

/// Lets the calling thread sleep.
public func pause(milliseconds: Int32) { usleep(UInt32(max(0, milliseconds)) * 1000) }

/// Lets one thread wait until another lets it go on.
///
/// `@unchecked Sendable`: the memory does not change, and its contents are made for threads.
@safe public final class Semaphore: @unchecked Sendable {
    private let semaphore: UnsafeMutablePointer<sem_t>

    /// Makes a semaphore at which a thread has to wait.
    public init() {
        unsafe semaphore = .allocate(capacity: 1)
        unsafe semaphore.initialize(to: sem_t())
        unsafe sem_init(semaphore, 0, 0)
    }

    deinit {
        unsafe sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }

    /// Waits for a signal that no other wait has had.
    public func wait() { while unsafe sem_wait(semaphore) != 0, errno == EINTR {} }

    /// Waits as ``wait()``, but not longer than a time.
    ///
    /// - Returns: whether there was a signal.
    public func wait(milliseconds: Int32) -> Bool {
        unsafe linux_semaphore_wait(semaphore, UInt64(max(0, milliseconds)) * 1_000_000) == 0
    }

    /// Lets one thread go on, now or when it waits.
    public func signal() { unsafe sem_post(semaphore) }
}
