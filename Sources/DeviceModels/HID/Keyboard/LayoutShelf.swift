import KeyboardLayouts

/// The keyboard layouts that a device types with, read when they are first needed.
///
/// Belongs to the device's executor.
final class LayoutShelf {
    /// The layout's name where none is said.
    let usual: String
    private var layouts: [(name: String, layout: KeyboardLayout)] = []

    /// The most layouts kept: reading one takes some milliseconds.
    private static let capacity = 8

    init(_ usual: String) { self.usual = usual }

    /// Reads the usual layout, so that a wrong name is found when the device is made.
    ///
    /// Without the layouts' data a keyboard still has keys to press: that nothing can be typed is told when it is tried.
    func check() throws(ModelError) {
        do throws(LayoutError) {
            _ = try layout(usual)
        } catch {
            if error.kind != .dataMissing { throw ModelError(error.description, key: "layout") }
        }
    }

    /// What to press for a text.
    ///
    /// - Throws: ``ModelError`` that names the layout, or the character that it does not have.
    func strokes(for text: String, layout name: String?) throws(ModelError) -> [KeyStroke] {
        do throws(LayoutError) {
            return try layout(name ?? usual).strokes(for: text)
        } catch {
            let key = if case .unsupportedCharacter = error.kind { "text" } else { "layout" }
            throw error.kind == .dataMissing
                ? ModelError(unavailable: error.description) : ModelError(error.description, key: key)
        }
    }

    private func layout(_ name: String) throws(LayoutError) -> KeyboardLayout {
        if let known = layouts.first(where: { $0.name == name }) { return known.layout }
        let layout = try KeyboardLayout(name)
        if layouts.count >= Self.capacity { layouts.removeFirst() }
        layouts.append((name, layout))
        return layout
    }
}
