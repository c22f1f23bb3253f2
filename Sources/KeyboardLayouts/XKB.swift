internal import CXKBCommon

/// A context of libxkbcommon, which finds XKB's files and never writes to standard error.
@safe
final class XKBContext {
    private let pointer: OpaquePointer

    /// Makes a context, or nothing when there is no memory.
    ///
    /// Looks in these folders, or in the usual ones. There, layouts of the user's own (`~/.config/xkb`, `/etc/xkb`) are
    /// found as other programs find them; names in the environment (`XKB_DEFAULT_LAYOUT`, …) are not looked at.
    init?(folders: [String]? = nil) {
        // The default folders come later, because a context that complains about one does so before it can be told
        // not to.
        let flags = xkb_context_flags(
            XKB_CONTEXT_NO_DEFAULT_INCLUDES.rawValue | XKB_CONTEXT_NO_ENVIRONMENT_NAMES.rawValue)
        guard let pointer = unsafe xkb_context_new(flags) else { return nil }
        unsafe self.pointer = unsafe pointer
        unsafe xkb_context_set_log_level(pointer, XKB_LOG_LEVEL_CRITICAL)
        guard let folders else {
            _ = unsafe xkb_context_include_path_append_default(pointer)
            return
        }
        for folder in folders { _ = unsafe xkb_context_include_path_append(pointer, folder) }
    }

    deinit { unsafe xkb_context_unref(pointer) }

    /// The folders that hold XKB's files, the most important first; those that do not exist are left out.
    var folders: [String] {
        (0..<(unsafe xkb_context_num_include_paths(pointer))).compactMap { index in
            guard let path = unsafe xkb_context_include_path_get(pointer, index) else { return nil }
            return unsafe String(cString: path)
        }
    }

    /// The keymap of a layout, or nothing when there is no such layout.
    func keymap(layout: String, variant: String) -> XKBKeymap? {
        // Under Linux a USB keyboard is of this model whatever its country: the key codes are the kernel's, and the
        // layout says what they mean. Other models add keys for media, or are of makers with their own key codes.
        let pointer = unsafe "evdev".withCString { rules in
            unsafe "pc105".withCString { model in
                unsafe layout.withCString { layout in
                    unsafe variant.withCString { variant in
                        unsafe "".withCString { options in
                            var names = unsafe xkb_rule_names(
                                rules: rules, model: model, layout: layout, variant: variant, options: options)
                            return unsafe xkb_keymap_new_from_names(self.pointer, &names, XKB_KEYMAP_COMPILE_NO_FLAGS)
                        }
                    }
                }
            }
        }
        guard let pointer = unsafe pointer else { return nil }
        return unsafe XKBKeymap(pointer)
    }
}

/// What the keys of a keyboard mean.
@safe
final class XKBKeymap {
    private let pointer: OpaquePointer

    fileprivate init(_ pointer: OpaquePointer) { unsafe self.pointer = unsafe pointer }

    deinit { unsafe xkb_keymap_unref(pointer) }

    /// A keyboard at rest, or nothing when there is no memory.
    func state() -> XKBState? {
        guard let state = unsafe xkb_state_new(pointer) else { return nil }
        return unsafe XKBState(state)
    }
}

/// The state of a keyboard: which modifiers are active.
@safe
final class XKBState {
    private let pointer: OpaquePointer

    fileprivate init(_ pointer: OpaquePointer) { unsafe self.pointer = unsafe pointer }

    deinit { unsafe xkb_state_unref(pointer) }

    /// Presses a key.
    func press(_ event: UInt16) { _ = unsafe xkb_state_update_key(pointer, UInt32(event) + 8, XKB_KEY_DOWN) }

    /// Releases a key.
    func release(_ event: UInt16) { _ = unsafe xkb_state_update_key(pointer, UInt32(event) + 8, XKB_KEY_UP) }

    /// What a key gives now: a keysym, or 0 for nothing or several.
    func keysym(of event: UInt16) -> UInt32 { unsafe xkb_state_key_get_one_sym(pointer, UInt32(event) + 8) }
}

/// The character of a keysym, or nothing.
func scalar(of keysym: UInt32) -> Unicode.Scalar? {
    let value = xkb_keysym_to_utf32(keysym)
    return value == 0 ? nil : Unicode.Scalar(value)
}

/// Whether a keysym is the usual one of its character: some have another, which lists of dead key sequences leave out.
func isUsual(_ keysym: UInt32, of scalar: Unicode.Scalar) -> Bool { xkb_utf32_to_keysym(scalar.value) == keysym }
