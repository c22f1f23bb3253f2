import ArgumentParser
import CommandSupport
import DeviceModels

/// `ghostplug models`.
struct Models: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the device models, or one model's keys.",
        discussion: """
            EXAMPLES:
              ghostplug models
              ghostplug models drive
            """)

    @Argument(help: ArgumentHelp("The model whose keys to show.", valueName: "model"))
    var name: String?

    @Flag(help: "One JSON value.")
    var json = false

    mutating func run() throws {
        do throws(Failure) {
            try WholeFile.printResult(text())
        } catch {
            throw error.report()
        }
    }

    private func text() throws(Failure) -> String {
        guard let name else {
            guard !json else { return JSON.array(ModelRegistry.models.map(Self.object)).text }
            let lines = ModelRegistry.models.map { "\($0.name)  \($0.summary)" }
            return (lines + ["", "'ghostplug models MODEL' shows a model's keys."]).joined(separator: "\n")
        }
        do throws(ModelError) {
            let model = try ModelRegistry.model(named: name)
            return json ? Self.object(model).text : Self.page(model)
        } catch {
            throw Failure("\(error)", .validationFailure)
        }
    }

    private static func page(_ model: any DeviceModel.Type) -> String {
        let subject = model.subject.map { "\($0.uppercased())," } ?? ""
        var lines = [
            "\(model.name): \(model.summary)", "", "  \(model.name):\(subject)KEY=VALUE,KEY=VALUE,…", "",
            "A key alone means yes. A comma or a backslash in a value is written with a backslash before it.", "",
        ]
        for key in model.keys + ModelKey.common {
            lines.append("  \(key.name)=\(key.values)\(key.isRepeatable ? "  (repeatable)" : "")")
            lines.append("      \(key.summary)")
            lines.append("      default: \(key.fallback)")
        }
        lines += ["", "Examples:"]
        for example in model.examples {
            lines.append("  ghostplug serve \(example.specification)")
            lines.append("      \(example.meaning)")
        }
        return lines.joined(separator: "\n")
    }

    private static func object(_ model: any DeviceModel.Type) -> JSON {
        .object([
            ("name", .string(model.name)), ("summary", .string(model.summary)),
            (
                "keys",
                .array(
                    (model.keys + ModelKey.common).map {
                        .object([
                            ("name", .string($0.name)), ("values", .string($0.values)),
                            ("default", .string($0.fallback)), ("summary", .string($0.summary)),
                            ("repeatable", .bool($0.isRepeatable)),
                        ])
                    })
            ),
        ])
    }
}
