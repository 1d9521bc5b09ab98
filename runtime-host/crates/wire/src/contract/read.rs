//! From a WIT function to the messages of its calls.

use std::{
    cell::RefCell,
    collections::{BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

use wit_parser::{Function, InterfaceId, Resolve, Type, TypeDef, TypeDefKind, TypeId, TypeOwner};

use super::{
    names,
    shape::{Case, Field, Form, Item, Label, Message, Names, Scalar, Shape},
};

/// Why a function is not served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Async,
    OfResource,
    NoInterface,
    NoPackage,
    Passes(&'static str),
    /// Two things would have this name.
    Clash(String),
}

/// What a call of a function sends and answers.
#[derive(Clone, Debug)]
pub(crate) struct Signature {
    pub(crate) request: Arc<Message>,
    pub(crate) response: Arc<Message>,
}

/// Reads the functions of one component.
pub(crate) struct Reader<'a> {
    resolve: &'a Resolve,
    /// What stands for types with a name, so that each is made once.
    known: RefCell<HashMap<TypeId, Item>>,
}

// === impl Reader ===

impl<'a> Reader<'a> {
    pub(crate) fn new(resolve: &'a Resolve) -> Self {
        Self {
            resolve,
            known: RefCell::default(),
        }
    }

    /// The messages of a function of `interface`.
    pub(crate) fn signature(
        &self,
        interface: InterfaceId,
        function: &Function,
    ) -> Result<Signature, Reason> {
        if function.kind.resource().is_some() {
            return Err(Reason::OfResource);
        }
        if function.kind.is_async() {
            return Err(Reason::Async);
        }
        let name = self.name(interface, &function.name)?;
        let request = format!("{name}Request");
        let parameters = function.params.iter();
        let parameters = parameters.map(|parameter| (parameter.name.as_str(), &parameter.ty));
        let fields = self.fields(&request, parameters)?;
        Ok(Signature {
            request: message(request, Form::Tuple(fields)),
            response: self.response(format!("{name}Response"), function.result.as_ref())?,
        })
    }

    /// The cases of a `result` stand in the answer itself, so that nobody has to look one level deeper for them.
    fn response(&self, name: String, ty: Option<&Type>) -> Result<Arc<Message>, Reason> {
        let form = match ty {
            None => Form::Tuple(Vec::new()),
            Some(ty) => match self.kind(ty) {
                Some(TypeDefKind::Result(result)) => {
                    Form::Result(self.sides(&name, [result.ok.as_ref(), result.err.as_ref()])?)
                }
                Some(_) | None => Form::Wrapper(Field {
                    name: "result".to_owned(),
                    number: 1,
                    shape: self.shape(ty, format!("{name}.Result"))?,
                }),
            },
        };
        Ok(message(name, form))
    }

    /// What stands for a type. `nest` is the message that stands there, should the type have no name of its own.
    fn shape(&self, ty: &Type, nest: String) -> Result<Shape, Reason> {
        let shape = |label, item| Ok(Shape { label, item });
        match self.kind(ty) {
            Some(TypeDefKind::Option(inner)) => shape(Label::Maybe, self.item(inner, nest)?),
            Some(TypeDefKind::List(inner)) if !self.is_u8(inner) => {
                shape(Label::Many, self.item(inner, nest)?)
            }
            Some(TypeDefKind::Flags(_)) => shape(Label::Flags, self.whole(ty, nest)?),
            Some(_) | None => shape(Label::One, self.whole(ty, nest)?),
        }
    }

    /// What stands for a type where exactly one thing has to stand.
    fn item(&self, ty: &Type, nest: String) -> Result<Item, Reason> {
        let is_whole = match self.kind(ty) {
            Some(TypeDefKind::Option(_) | TypeDefKind::Flags(_)) => false,
            Some(TypeDefKind::List(inner)) => self.is_u8(inner),
            Some(_) | None => true,
        };
        if is_whole {
            return self.whole(ty, nest);
        }
        let field = Field {
            name: "value".to_owned(),
            number: 1,
            shape: self.shape(ty, format!("{nest}.Value"))?,
        };
        Ok(nested(nest, Form::Wrapper(field)))
    }

    /// What stands for a type that needs nothing around it.
    fn whole(&self, ty: &Type, nest: String) -> Result<Item, Reason> {
        let scalar = match self.plain(ty) {
            Type::Id(id) => return self.defined(self.definition(id), nest),
            Type::ErrorContext => return Err(Reason::Passes("an error-context")),
            Type::Bool => Scalar::Bool,
            Type::U8 => Scalar::U8,
            Type::U16 => Scalar::U16,
            Type::U32 => Scalar::U32,
            Type::U64 => Scalar::U64,
            Type::S8 => Scalar::S8,
            Type::S16 => Scalar::S16,
            Type::S32 => Scalar::S32,
            Type::S64 => Scalar::S64,
            Type::F32 => Scalar::F32,
            Type::F64 => Scalar::F64,
            Type::Char => Scalar::Char,
            Type::String => Scalar::String,
        };
        Ok(Item::Scalar(scalar))
    }

    fn defined(&self, id: TypeId, nest: String) -> Result<Item, Reason> {
        if let Some(item) = self.known.borrow().get(&id) {
            return Ok(item.clone());
        }
        let Some(definition) = self.resolve.types.get(id) else {
            return Err(Reason::Passes("a type that is not known"));
        };
        let Some(name) = &definition.name else {
            return self.unnamed(definition, nest);
        };
        let name = match definition.owner {
            TypeOwner::Interface(interface) => self.name(interface, name)?,
            TypeOwner::World(_) | TypeOwner::None => return self.unnamed(definition, nest),
        };
        let item = match &definition.kind {
            TypeDefKind::Record(record) => {
                let fields = record.fields.iter();
                let fields = fields.map(|field| (field.name.as_str(), &field.ty));
                let fields = self.fields(&name, fields)?;
                Item::Message(message(name, Form::Record(fields)))
            }
            TypeDefKind::Variant(variant) => {
                let cases = variant.cases.iter();
                let cases = cases.map(|case| (case.name.as_str(), case.ty.as_ref()));
                let cases = self.cases(&name, cases)?;
                Item::Message(message(name, Form::Variant(cases)))
            }
            TypeDefKind::Enum(cases) => {
                let cases = cases.cases.iter();
                enumeration(name, cases.map(|case| case.name.as_str()))?
            }
            TypeDefKind::Flags(flags) => {
                let flags = flags.flags.iter();
                enumeration(name, flags.map(|flag| flag.name.as_str()))?
            }
            // Another name for something that needs none.
            _ => return self.unnamed(definition, nest),
        };
        self.known.borrow_mut().insert(id, item.clone());
        Ok(item)
    }

    fn unnamed(&self, definition: &TypeDef, nest: String) -> Result<Item, Reason> {
        let passes = match &definition.kind {
            TypeDefKind::Tuple(tuple) => {
                let names: Vec<_> = (0..tuple.types.len())
                    .map(|place| format!("v{place}"))
                    .collect();
                let fields = names.iter().map(String::as_str).zip(&tuple.types);
                let fields = self.fields(&nest, fields)?;
                return Ok(nested(nest, Form::Tuple(fields)));
            }
            TypeDefKind::Result(result) => {
                let sides = self.sides(&nest, [result.ok.as_ref(), result.err.as_ref()])?;
                return Ok(nested(nest, Form::Result(sides)));
            }
            TypeDefKind::List(_) => return Ok(Item::Bytes),
            TypeDefKind::Option(_) | TypeDefKind::Type(_) | TypeDefKind::Unknown => {
                "a type that is not known"
            }
            TypeDefKind::Record(_)
            | TypeDefKind::Variant(_)
            | TypeDefKind::Enum(_)
            | TypeDefKind::Flags(_) => "a type that belongs to no interface",
            TypeDefKind::Resource | TypeDefKind::Handle(_) => "a resource",
            TypeDefKind::Future(_) => "a future",
            TypeDefKind::Stream(_) => "a stream",
            TypeDefKind::Map(..) => "a map",
            TypeDefKind::FixedLengthList(..) => "a list of fixed length",
        };
        Err(Reason::Passes(passes))
    }

    fn fields<'t>(
        &self,
        message: &str,
        fields: impl Iterator<Item = (&'t str, &'t Type)>,
    ) -> Result<Vec<Field>, Reason> {
        let mut names = BTreeSet::new();
        let fields = (1..).zip(fields).map(|(number, (name, ty))| {
            let nest = nest(message, name, &mut names)?;
            Ok(Field {
                name: name.to_owned(),
                number: number_of(number),
                shape: self.shape(ty, nest)?,
            })
        });
        fields.collect()
    }

    fn cases<'t>(
        &self,
        message: &str,
        cases: impl Iterator<Item = (&'t str, Option<&'t Type>)>,
    ) -> Result<Vec<Case>, Reason> {
        let mut names = BTreeSet::new();
        let cases = (1..).zip(cases).map(|(number, (name, ty))| {
            let nest = nest(message, name, &mut names)?;
            Ok(Case {
                name: name.to_owned(),
                number: number_of(number),
                item: ty.map(|ty| self.item(ty, nest)).transpose()?,
            })
        });
        cases.collect()
    }

    fn sides(&self, message: &str, [ok, err]: [Option<&Type>; 2]) -> Result<[Case; 2], Reason> {
        let side = |name: &str, number, ty: Option<&Type>| {
            let nest = format!("{message}.{}", names::camel(name));
            let item = ty.map(|ty| self.item(ty, nest)).transpose()?;
            let name = name.to_owned();
            Ok(Case { name, number, item })
        };
        Ok([side("ok", 1, ok)?, side("err", 2, err)?])
    }

    /// The name of something that belongs to an interface.
    fn name(&self, interface: InterfaceId, name: &str) -> Result<String, Reason> {
        let interface = self.resolve.interfaces.get(interface);
        let names = interface.and_then(|interface| {
            let package = self.resolve.packages.get(interface.package?)?;
            Some((&package.name, interface.name.as_deref()?))
        });
        let (package, interface) = names.ok_or(Reason::NoPackage)?;
        let name = names::of_interface(interface, name);
        Ok(format!("{}.{name}", names::package(package)))
    }

    /// What a type is, whatever names were given to it on the way.
    fn kind(&self, ty: &Type) -> Option<&TypeDefKind> {
        let Type::Id(id) = ty else { return None };
        let definition = self.resolve.types.get(self.definition(*id))?;
        Some(&definition.kind)
    }

    /// Where a type is defined, and not only given another name.
    fn definition(&self, mut id: TypeId) -> TypeId {
        while let Some(TypeDefKind::Type(Type::Id(next))) =
            self.resolve.types.get(id).map(|ty| &ty.kind)
        {
            id = *next;
        }
        id
    }

    fn is_u8(&self, ty: &Type) -> bool {
        matches!(self.plain(ty), Type::U8)
    }

    /// The type that other names of it stand for.
    fn plain(&self, ty: &Type) -> Type {
        match self.kind(ty) {
            Some(TypeDefKind::Type(ty)) => *ty,
            Some(_) | None => *ty,
        }
    }
}

/// The message that stands in a field, if it needs one; an error where two fields would be called the same.
fn nest(message: &str, field: &str, names: &mut BTreeSet<String>) -> Result<String, Reason> {
    let name = names::camel(field);
    let nest = format!("{message}.{name}");
    if names.insert(name) {
        Ok(nest)
    } else {
        Err(Reason::Clash(nest))
    }
}

/// Numbers of fields count from 1. WIT has no types with so many fields that they would not fit.
fn number_of(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

fn message(name: String, form: Form) -> Arc<Message> {
    Arc::new(Message {
        name,
        is_nested: false,
        form,
    })
}

fn nested(name: String, form: Form) -> Item {
    Item::Message(Arc::new(Message {
        name,
        is_nested: true,
        form,
    }))
}

fn enumeration<'t>(name: String, cases: impl Iterator<Item = &'t str>) -> Result<Item, Reason> {
    let mut known = BTreeSet::new();
    let cases = cases.map(|case| {
        if known.insert(names::camel(case)) {
            Ok(case.to_owned())
        } else {
            Err(Reason::Clash(format!("{name}.{case}")))
        }
    });
    let cases = cases.collect::<Result<_, _>>()?;
    Ok(Item::Enum(Arc::new(Names { name, cases })))
}

// === impl Reason ===

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Async => f.write_str("it is async"),
            Self::OfResource => f.write_str("it belongs to a resource"),
            Self::NoInterface => f.write_str("it is exported outside of an interface"),
            Self::NoPackage => f.write_str("its interface is in no package"),
            Self::Passes(what) => write!(f, "it passes {what}"),
            Self::Clash(name) => write!(f, "two things would be called {name}"),
        }
    }
}
