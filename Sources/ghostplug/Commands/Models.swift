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
        guard let name else {
            if json {
                StandardOutput.print(JSON.array(ModelRegistry.models.map(Self.object)).text)
            } else {
                for model in ModelRegistry.models { StandardOutput.print("\(model.name)  \(model.summary)") }
                StandardOutput.print("\n'ghostplug models MODEL' shows a model's keys.")
            }
            return
        }
        do throws(ModelError) {
            let model = try ModelRegistry.model(named: name)
            StandardOutput.print(json ? Self.object(model).text : Self.page(model))
        } catch {
            throw Failure("\(error)", .validationFailure).report()
        }
    }

    private static func page(_ model: any DeviceModel.Type) -> String {
        var lines = [
            "\(model.name): \(model.summary)", "", "  \(model.name):KEY=VALUE,KEY=VALUE,…", "",
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
