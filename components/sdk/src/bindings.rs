//! The host interfaces that spin-sdk does not offer synchronously: `wasi:keyvalue`, and version 2 of Spin's own.

wit_bindgen::generate!({
    inline: "
        package skald:sdk;
        world imports {
            import wasi:keyvalue/store@0.2.0-draft2;
            import wasi:keyvalue/atomics@0.2.0-draft2;
            import wasi:keyvalue/batch@0.2.0-draft2;
            import fermyon:spin/redis@2.0.0;
            import fermyon:spin/variables@2.0.0;
        }
    ",
    path: ["../../wit/deps/wasi-keyvalue", "../../wit/deps/fermyon-spin"],
    generate_all,
});
