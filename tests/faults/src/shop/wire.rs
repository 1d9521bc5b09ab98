//! Calls and answers as the host carries them.

use serde_json::{Map, Number, Value as Json};
use skald_core::{saga::Step, value::Value};

use crate::services::{
    call::{Answer, Call, Error, Status},
    world::ORDER,
};

/// The call as a step. Its first argument is the order.
pub(crate) fn step_of(call: &Call) -> Step {
    let mut arguments = vec![Value::String(ORDER.to_owned())];
    if let Ok(Json::Object(named)) = serde_json::to_value(call) {
        arguments.extend(named.into_iter().map(|(_, argument)| to_value(argument)));
    }
    Step {
        target: call.target().to_owned(),
        interface: format!("shop:{}/api@1.0.0", call.target()),
        function: call.function(),
        arguments,
    }
}

/// What is called; nothing if no function of the shop is, or not with these arguments.
pub(crate) fn call_of(function: &str, arguments: &[Value]) -> Option<Call> {
    let json = match arguments {
        [Value::String(order)] if order == ORDER => Json::String(function.to_owned()),
        [Value::String(order), argument] if order == ORDER => {
            let argument = (function.to_owned(), to_json(argument)?);
            Json::Object(Map::from_iter([argument]))
        }
        _ => return None,
    };
    serde_json::from_value(json).ok()
}

/// The answer as a value.
pub(crate) fn value_of(answer: &Answer) -> Value {
    let json = |json: Result<Json, _>| Box::new(to_value(json.unwrap_or_default()));
    Value::Result(match answer {
        Ok(status) => Ok(status.map(|status| json(serde_json::to_value(status)))),
        Err(error) => Err(Some(json(serde_json::to_value(error)))),
    })
}

/// What was answered; nothing if that is no answer.
pub(crate) fn answer_of(value: &Value) -> Option<Answer> {
    match value {
        Value::Result(Ok(None)) => Some(Ok(None)),
        Value::Result(Ok(Some(status))) => {
            let status: Status = serde_json::from_value(to_json(status)?).ok()?;
            Some(Ok(Some(status)))
        }
        Value::Result(Err(Some(error))) => {
            let error: Error = serde_json::from_value(to_json(error)?).ok()?;
            Some(Err(error))
        }
        _ => None,
    }
}

fn to_value(json: Json) -> Value {
    match json {
        Json::Null => Value::Option(None),
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => Value::U64(number.as_u64().unwrap_or(u64::MAX)),
        Json::String(text) => Value::String(text),
        Json::Array(all) => Value::List(all.into_iter().map(to_value).collect()),
        Json::Object(fields) => {
            let fields = fields.into_iter();
            Value::Record(fields.map(|(name, json)| (name, to_value(json))).collect())
        }
    }
}

fn to_json(value: &Value) -> Option<Json> {
    Some(match value {
        Value::Option(None) => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::U64(number) => Json::Number(Number::from(*number)),
        Value::String(text) => Json::String(text.clone()),
        Value::List(all) => Json::Array(all.iter().map(to_json).collect::<Option<_>>()?),
        Value::Record(fields) => {
            let field = |(name, value): &(String, Value)| Some((name.clone(), to_json(value)?));
            Json::Object(fields.iter().map(field).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}
