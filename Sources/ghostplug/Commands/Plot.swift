import ArgumentParser
import CommandSupport
import Glibc
import Measurement

/// `ghostplug plot`.
struct Plot: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draw lines from a JSON file as SVG, such as several runs of bench.",
        discussion: """
            The SVG needs no fonts, scripts or network, and is readable on light and \
            on dark pages.

            FILE:
              {"title": "Bulk IN", "subtitle": "…",
               "x": {"label": "size", "scale": "log2", "unit": "bytes"},
               "y": {"label": "MB/s"},
               "series": [{"name": "1 ms", "points": [[64, 1.5], [1024, 22]],
                           "dashed": true, "color": 2}]}

              scale is linear, log2 or log10; unit is plain or bytes; both may be left
              out, as may subtitle, dashed and color. Lines of one color belong
              together. {"title": "…", "charts": [CHART, …]} is a page of several.

            EXAMPLES:
              ghostplug plot delays.json -o delays.svg
              ghostplug plot - < delays.json > delays.svg
            """)

    @Argument(help: ArgumentHelp("The JSON file, - for standard input.", valueName: "data.json"))
    var data: String

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Where to write; standard output unless given.", valueName: "file.svg"))
    var output: String?

    mutating func run() throws {
        do {
            let page: ChartPage
            let bytes = try WholeFile.read(data)
            do throws(ChartFileError) {
                page = try ChartPage(parsing: bytes)
            } catch {
                throw Failure("\(data): \(error)", .validationFailure)
            }
            guard let output else { return try WholeFile.printResult(String(page.svg.dropLast())) }
            try WholeFile.write(page.svg, to: output)
        } catch let failure as Failure {
            throw failure.report()
        }
    }
}

/// Files that are read and written in one go.
enum WholeFile {
    private static let sizeLimit = 256 << 20

    /// Reads a file, or standard input for `-`.
    static func read(_ path: String) throws(Failure) -> [UInt8] {
        let file = path == "-" ? dup(STDIN_FILENO) : unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure(path, errno) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe Glibc.read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure(path, errno) }
            guard count > 0 else { return bytes }
            bytes += chunk.prefix(count)
            guard bytes.count <= sizeLimit else { throw Failure("\(path): larger than 256 MiB", .failure) }
        }
    }

    /// Writes a file; one that was there is replaced.
    ///
    /// - Throws: ``Failure`` with status 74 when not all could be written.
    static func write(_ text: String, to path: String) throws(Failure) {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw failure(path, errno) }
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let code = errno
                close(file)
                throw unsafe Failure("\(path): \(String(cString: strerror(code)))", .dataLoss)
            }
            bytes = bytes.dropFirst(count)
        }
        guard close(file) == 0 else { throw unsafe Failure("\(path): \(String(cString: strerror(errno)))", .dataLoss) }
    }

    /// Writes a line to standard output.
    ///
    /// - Throws: ``Failure`` with status 74 when not all could be written.
    static func printResult(_ line: String) throws(Failure) {
        do throws(OutputError) {
            try StandardOutput.printResult(line)
        } catch {
            throw Failure("\(error)", .dataLoss)
        }
    }

    /// Finds out early whether a file can be written, without changing what is there.
    static func checkWritable(_ path: String) throws(Failure) {
        let fresh = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        if fresh >= 0 {
            close(fresh)
            unsafe unlink(path)
            return
        }
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw failure(path, errno) }
        close(file)
    }

    private static func failure(_ path: String, _ code: Int32) -> Failure {
        unsafe Failure("\(path): \(String(cString: strerror(code)))", .failure)
    }
}
