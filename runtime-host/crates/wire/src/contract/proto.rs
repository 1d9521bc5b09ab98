//! Descriptors as text, for people and for the compilers of other languages.

use std::fmt::{self, Write as _};

use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    MethodDescriptorProto, ServiceDescriptorProto,
    field_descriptor_proto::{Label, Type},
};

/// Text with its indentation.
struct Page {
    text: String,
    depth: usize,
}

/// A file of the protocol's own language.
pub(super) fn text(file: &FileDescriptorProto) -> String {
    let mut page = Page {
        text: String::new(),
        depth: 0,
    };
    page.line(format_args!("syntax = \"proto3\";"));
    page.blank();
    page.line(format_args!("package {};", file.package()));
    if !file.dependency.is_empty() {
        page.blank();
    }
    for path in &file.dependency {
        page.line(format_args!("import \"{path}\";"));
    }
    for service in &file.service {
        page.service(service);
    }
    for message in &file.message_type {
        page.blank();
        page.message(message);
    }
    for names in &file.enum_type {
        page.names(names);
    }
    page.text
}

// === impl Page ===

impl Page {
    fn line(&mut self, text: fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{:1$}{text}", "", self.depth * 2);
    }

    fn blank(&mut self) {
        self.text.push('\n');
    }

    fn open(&mut self, text: fmt::Arguments<'_>) {
        self.line(format_args!("{text} {{"));
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.line(format_args!("}}"));
    }

    fn service(&mut self, service: &ServiceDescriptorProto) {
        self.blank();
        self.open(format_args!("service {}", service.name()));
        for method in &service.method {
            let MethodDescriptorProto { name, .. } = method;
            let name = name.as_deref().unwrap_or_default();
            let (input, output) = (method.input_type(), method.output_type());
            self.line(format_args!("rpc {name}({input}) returns ({output});"));
        }
        self.close();
    }

    fn names(&mut self, names: &EnumDescriptorProto) {
        self.blank();
        self.open(format_args!("enum {}", names.name()));
        for value in &names.value {
            self.line(format_args!("{} = {};", value.name(), value.number()));
        }
        self.close();
    }

    fn message(&mut self, message: &DescriptorProto) {
        let is_empty = message.field.is_empty() && message.nested_type.is_empty();
        if is_empty {
            return self.line(format_args!("message {} {{}}", message.name()));
        }
        self.open(format_args!("message {}", message.name()));
        for nested in &message.nested_type {
            self.message(nested);
        }
        let in_group =
            |field: &&FieldDescriptorProto| field.oneof_index.is_some() && !field.proto3_optional();
        let group = message.oneof_decl.first();
        let mut cases = message.field.iter().filter(in_group).peekable();
        if let (Some(group), Some(_)) = (group, cases.peek()) {
            self.open(format_args!("oneof {}", group.name()));
            for case in cases {
                self.field(case);
            }
            self.close();
        }
        for field in message.field.iter().filter(|field| !in_group(field)) {
            self.field(field);
        }
        self.close();
    }

    fn field(&mut self, field: &FieldDescriptorProto) {
        let label = match (field.label(), field.proto3_optional()) {
            (Label::Repeated, _) => "repeated ",
            (Label::Optional | Label::Required, true) => "optional ",
            (Label::Optional | Label::Required, false) => "",
        };
        let ty = type_of(field);
        self.line(format_args!(
            "{label}{ty} {} = {};",
            field.name(),
            field.number()
        ));
    }
}

fn type_of(field: &FieldDescriptorProto) -> String {
    let word = match field.r#type() {
        Type::Bool => "bool",
        Type::Sint32 => "sint32",
        Type::Uint32 => "uint32",
        Type::Sint64 => "sint64",
        Type::Uint64 => "uint64",
        Type::Float => "float",
        Type::Double => "double",
        Type::String => "string",
        Type::Bytes => "bytes",
        // What is left has a name, and the other types of the language are not used.
        _ => return field.type_name().to_owned(),
    };
    word.to_owned()
}
