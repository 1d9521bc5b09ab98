//! The descriptors of the messages and services, as reflection gives them out.

use std::collections::{BTreeMap, BTreeSet};

use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
    FileDescriptorProto, MethodDescriptorProto, OneofDescriptorProto, ServiceDescriptorProto,
    field_descriptor_proto::{Label as ProtoLabel, Type},
};

use super::{
    draft::{Declared, Package},
    names,
    shape::{Case, Field, Form, Item, Label, Message, Names, Scalar, Shape, short},
};

/// Stands for a case that carries nothing.
const EMPTY: &str = "google.protobuf.Empty";
const EMPTY_FILE: &str = "google/protobuf/empty.proto";

/// One file for each package, and those they need.
pub(super) fn files(packages: BTreeMap<String, Package>) -> Vec<FileDescriptorProto> {
    let mut files: Vec<_> = packages
        .into_iter()
        .map(|(name, package)| file(name, &package))
        .collect();
    if files
        .iter()
        .any(|file| file.dependency.iter().any(|path| path == EMPTY_FILE))
    {
        files.push(empty());
    }
    files
}

fn empty() -> FileDescriptorProto {
    FileDescriptorProto {
        name: Some(EMPTY_FILE.to_owned()),
        package: Some("google.protobuf".to_owned()),
        message_type: vec![DescriptorProto {
            name: Some("Empty".to_owned()),
            ..DescriptorProto::default()
        }],
        syntax: Some("proto3".to_owned()),
        ..FileDescriptorProto::default()
    }
}

fn file(name: String, package: &Package) -> FileDescriptorProto {
    let mut used = BTreeSet::new();
    for message in package.messages.values() {
        note(message, &mut used);
    }
    used.remove(&name);
    let messages = package
        .messages
        .values()
        .map(|message| self::message(message));
    let enums = package.enums.values().map(|names| enumeration(names));
    let services = package.services.iter();
    let services = services.map(|(service, methods)| self::service(service, methods));
    FileDescriptorProto {
        name: Some(path(&name)),
        dependency: used.iter().map(|package| path(package)).collect(),
        message_type: messages.collect(),
        enum_type: enums.collect(),
        service: services.collect(),
        syntax: Some("proto3".to_owned()),
        package: Some(name),
        ..FileDescriptorProto::default()
    }
}

/// The packages that a message and those within it use.
fn note(message: &Message, used: &mut BTreeSet<String>) {
    let mut note_name = |name: &str| {
        if let Some((package, _)) = name.rsplit_once('.') {
            used.insert(package.to_owned());
        }
    };
    if message.cases().iter().any(|case| case.item.is_none()) {
        note_name(EMPTY);
    }
    for item in message.items() {
        match item {
            Item::Enum(names) => note_name(&names.name),
            Item::Message(inner) if !inner.is_nested => note_name(&inner.name),
            Item::Message(_) | Item::Scalar(_) | Item::Bytes => {}
        }
    }
    for inner in nested(message) {
        note(inner, used);
    }
}

fn nested(message: &Message) -> impl Iterator<Item = &Message> {
    message.items().filter_map(|item| match item {
        Item::Message(inner) if inner.is_nested => Some(&**inner),
        Item::Message(_) | Item::Enum(_) | Item::Scalar(_) | Item::Bytes => None,
    })
}

/// The file of a package.
fn path(package: &str) -> String {
    match package {
        "google.protobuf" => EMPTY_FILE.to_owned(),
        package => package.replace('.', "/") + ".proto",
    }
}

fn service(name: &str, methods: &[Declared]) -> ServiceDescriptorProto {
    let method = |declared: &Declared| MethodDescriptorProto {
        name: Some(declared.name.clone()),
        input_type: Some(format!(".{}", declared.request)),
        output_type: Some(format!(".{}", declared.response)),
        ..MethodDescriptorProto::default()
    };
    ServiceDescriptorProto {
        name: Some(name.to_owned()),
        method: methods.iter().map(method).collect(),
        ..ServiceDescriptorProto::default()
    }
}

fn enumeration(names: &Names) -> EnumDescriptorProto {
    let name = short(&names.name);
    let cases = names.cases.iter().map(String::as_str);
    let zero = names::group("unspecified", cases.clone());
    let values = (0..).zip([zero.as_str()].into_iter().chain(cases));
    let value = |(number, case): (i32, &str)| EnumValueDescriptorProto {
        name: Some(names::value(name, case)),
        number: Some(number),
        ..EnumValueDescriptorProto::default()
    };
    EnumDescriptorProto {
        name: Some(name.to_owned()),
        value: values.map(value).collect(),
        ..EnumDescriptorProto::default()
    }
}

fn message(message: &Message) -> DescriptorProto {
    let mut descriptor = DescriptorProto {
        name: Some(message.short_name().to_owned()),
        nested_type: nested(message).map(self::message).collect(),
        ..DescriptorProto::default()
    };
    let group = match message.form {
        Form::Variant(_) => Some("kind"),
        Form::Result(_) => Some("result"),
        Form::Record(_) | Form::Tuple(_) | Form::Wrapper(_) => None,
    };
    if let Some(group) = group {
        let cases = message.cases();
        let name = names::group(group, cases.iter().map(|case| case.name.as_str()));
        descriptor.oneof_decl.push(oneof(name));
        descriptor.field.extend(cases.iter().map(case));
    }
    for field in message.fields() {
        let mut described = self::field(field);
        if is_optional(field) {
            // Presence of what is no message is a group of one, by the name that the language's own compiler gives it.
            described.oneof_index = i32::try_from(descriptor.oneof_decl.len()).ok();
            described.proto3_optional = Some(true);
            let name = format!("_{}", names::snake(&field.name));
            descriptor.oneof_decl.push(oneof(name));
        }
        descriptor.field.push(described);
    }
    descriptor
}

const fn is_optional(field: &Field) -> bool {
    let is_message = matches!(field.shape.item, Item::Message(_));
    matches!(field.shape.label, Label::Maybe) && !is_message
}

fn oneof(name: String) -> OneofDescriptorProto {
    OneofDescriptorProto {
        name: Some(name),
        ..OneofDescriptorProto::default()
    }
}

fn case(case: &Case) -> FieldDescriptorProto {
    let (ty, name) = match &case.item {
        Some(item) => describe(item),
        None => (Type::Message, Some(EMPTY)),
    };
    FieldDescriptorProto {
        oneof_index: Some(0),
        ..described((&case.name, case.number), ProtoLabel::Optional, (ty, name))
    }
}

fn field(field: &Field) -> FieldDescriptorProto {
    let Shape { label, item } = &field.shape;
    let label = match label {
        Label::One | Label::Maybe => ProtoLabel::Optional,
        Label::Many | Label::Flags => ProtoLabel::Repeated,
    };
    described((&field.name, field.number), label, describe(item))
}

fn described(
    (name, number): (&str, u32),
    label: ProtoLabel,
    (ty, type_name): (Type, Option<&str>),
) -> FieldDescriptorProto {
    FieldDescriptorProto {
        name: Some(names::snake(name)),
        number: i32::try_from(number).ok(),
        label: Some(label.into()),
        r#type: Some(ty.into()),
        type_name: type_name.map(|name| format!(".{name}")),
        json_name: Some(names::json(name)),
        ..FieldDescriptorProto::default()
    }
}

fn describe(item: &Item) -> (Type, Option<&str>) {
    let ty = match item {
        Item::Enum(names) => return (Type::Enum, Some(&names.name)),
        Item::Message(message) => return (Type::Message, Some(&message.name)),
        Item::Bytes => Type::Bytes,
        Item::Scalar(scalar) => match scalar {
            Scalar::Bool => Type::Bool,
            Scalar::S8 | Scalar::S16 | Scalar::S32 => Type::Sint32,
            Scalar::U8 | Scalar::U16 | Scalar::U32 => Type::Uint32,
            Scalar::S64 => Type::Sint64,
            Scalar::U64 => Type::Uint64,
            Scalar::F32 => Type::Float,
            Scalar::F64 => Type::Double,
            Scalar::Char | Scalar::String => Type::String,
        },
    };
    (ty, None)
}
