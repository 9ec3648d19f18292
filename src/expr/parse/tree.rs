//! From the parser's tree to an [`Expr`].

use promql_parser::label::MatchOp;
use promql_parser::parser as promql;
use promql_parser::parser::value::ValueType;
use promql_parser::parser::{BinModifier, LabelModifier, VectorMatchCardinality};

use super::ParseError;
use crate::expr::labels::{NAME, is_label_name};
use crate::expr::{
    Aggregation, Expr, Function, Group, Grouping, MatchOn, Matching, Op, Over, Selector,
};

type Parsed<T = Expr> = Result<T, ParseError>;

/// How many parts lie within one another at most.
pub(super) fn depth(ast: &promql::Expr) -> usize {
    1 + match bare(ast) {
        promql::Expr::Unary(unary) => depth(&unary.expr),
        promql::Expr::Binary(binary) => depth(&binary.lhs).max(depth(&binary.rhs)),
        promql::Expr::Aggregate(aggregate) => depth(&aggregate.expr),
        promql::Expr::Call(call) => {
            let arguments = call.args.args.iter();
            // `hour()` becomes `hour(vector(time()))`.
            arguments.map(|argument| depth(argument)).max().unwrap_or(2)
        }
        _ => 0,
    }
}

pub(super) fn expr(ast: &promql::Expr) -> Parsed {
    Ok(match bare(ast) {
        promql::Expr::NumberLiteral(number) => Expr::Number(number.val),
        promql::Expr::Unary(unary) => Expr::Negate(Box::new(expr(&unary.expr)?)),
        promql::Expr::VectorSelector(selected) => Expr::Select(selector(selected)?),
        promql::Expr::Binary(binary) => combined(binary)?,
        promql::Expr::Aggregate(aggregate) => aggregated(aggregate)?,
        promql::Expr::Call(call) => called(call)?,
        promql::Expr::MatrixSelector(range) => {
            return Err(ParseError::new(range.to_string(), RANGE));
        }
        promql::Expr::StringLiteral(text) => {
            return Err(ParseError::new(
                text.to_string(),
                "a string is no value here: write a number",
            ));
        }
        other => {
            return Err(ParseError::new(
                other.to_string(),
                "is not evaluated in this process",
            ));
        }
    })
}

fn combined(binary: &promql::BinaryExpr) -> Parsed {
    let symbol = binary.op.to_string();
    let op = Op::ALL.into_iter().find(|op| op.as_str() == symbol);
    let op = op
        .ok_or_else(|| ParseError::new(symbol, "this operator is not evaluated in this process"))?;
    let vectors = [&binary.lhs, &binary.rhs]
        .iter()
        .all(|side| side.value_type() == ValueType::Vector);
    let matching = match &binary.modifier {
        Some(modifier) => matching(modifier, vectors)?,
        None => Matching::default(),
    };
    Ok(expr(&binary.lhs)?.binary_on(op, matching, expr(&binary.rhs)?))
}

/// How elements find each other; between other things than two vectors Prometheus reads `on ()` over.
fn matching(modifier: &BinModifier, vectors: bool) -> Parsed<Matching> {
    if modifier.fill_values.lhs.is_some() || modifier.fill_values.rhs.is_some() {
        return Err(ParseError::new(
            "fill",
            "is not evaluated in this process: write `or` with the value for what is missing",
        ));
    }
    let mut matching = Matching {
        as_bool: modifier.return_bool,
        ..Matching::default()
    };
    if !vectors {
        return Ok(matching);
    }
    matching.on = match &modifier.matching {
        Some(LabelModifier::Include(keys)) => Some(MatchOn::On(names(&keys.labels)?)),
        Some(LabelModifier::Exclude(keys)) if !keys.is_empty() => {
            Some(MatchOn::Ignoring(names(&keys.labels)?))
        }
        _ => None,
    };
    matching.group = match &modifier.card {
        VectorMatchCardinality::ManyToOne(copied) => Some(Group::Left(names(&copied.labels)?)),
        VectorMatchCardinality::OneToMany(copied) => Some(Group::Right(names(&copied.labels)?)),
        _ => None,
    };
    Ok(matching)
}

fn aggregated(aggregate: &promql::AggregateExpr) -> Parsed {
    let name = aggregate.op.to_string();
    let how = Aggregation::ALL
        .into_iter()
        .find(|how| how.as_str() == name);
    let how = how.ok_or_else(|| ParseError::new(&name, outside(&name)))?;
    if aggregate.param.is_some() {
        return Err(ParseError::new(name, "takes one argument"));
    }
    let grouping = match &aggregate.modifier {
        None => Grouping::default(),
        Some(LabelModifier::Include(keys)) => Grouping::By(names(&keys.labels)?),
        Some(LabelModifier::Exclude(keys)) => Grouping::Without(names(&keys.labels)?),
    };
    Ok(expr(&aggregate.expr)?.aggregate(how, grouping))
}

fn called(call: &promql::Call) -> Parsed {
    let name = call.func.name;
    let over = Over::ALL.into_iter().find(|over| over.as_str() == name);
    let function = Function::ALL
        .into_iter()
        .find(|function| function.as_str() == name);
    let arguments = &call.args.args[..];
    match (name, arguments) {
        ("time", []) => Ok(Expr::Time),
        ("histogram_quantile", [q, buckets]) => {
            Ok(Expr::Quantile(Box::new(expr(q)?), Box::new(expr(buckets)?)))
        }
        (_, [argument]) if over.is_some() => ranged(name, over, argument),
        _ => applied(name, function, arguments),
    }
}

fn ranged(name: &str, over: Option<Over>, argument: &promql::Expr) -> Parsed {
    match (over, bare(argument)) {
        (Some(over), promql::Expr::MatrixSelector(range)) => {
            Ok(Expr::Over(over, selector(&range.vs)?, range.range))
        }
        _ => Err(ParseError::new(format!("{name}({argument})"), RANGE_NEEDED)),
    }
}

fn applied(name: &str, function: Option<Function>, arguments: &[Box<promql::Expr>]) -> Parsed {
    let function = function.ok_or_else(|| ParseError::new(name, outside(name)))?;
    let of_time = matches!(
        function,
        Function::Hour
            | Function::Minute
            | Function::DayOfWeek
            | Function::DayOfMonth
            | Function::Month
    );
    let argument = match arguments {
        [argument] => argument,
        // What Prometheus takes where nothing is written.
        [] if of_time => return Ok(Expr::Time.call(Function::Vector).call(function)),
        _ => return Err(ParseError::new(name, "takes one argument")),
    };
    // Inside of parentheses Prometheus does not see which labels are asked for.
    let hidden = matches!(**argument, promql::Expr::Paren(_))
        && matches!(bare(argument), promql::Expr::VectorSelector(_));
    if function == Function::Absent && hidden {
        let message = "does not take its labels from within parentheses: leave the inner ones out";
        return Err(ParseError::new(format!("absent({argument})"), message));
    }
    Ok(expr(argument)?.call(function))
}

fn bare(mut ast: &promql::Expr) -> &promql::Expr {
    while let promql::Expr::Paren(paren) = ast {
        ast = &paren.expr;
    }
    ast
}

fn selector(selected: &promql::VectorSelector) -> Parsed<Selector> {
    if selected.offset.is_some()
        || selected.at.is_some()
        || !selected.matchers.or_matchers.is_empty()
    {
        let message =
            "only the selector itself is evaluated in this process: leave its modifiers out";
        return Err(ParseError::new(selected.to_string(), message));
    }
    let mut matchers = selected.matchers.matchers.clone();
    let name = match &selected.name {
        Some(name) => name.clone(),
        None => {
            let equal = |matcher: &promql_parser::label::Matcher| {
                matcher.name == NAME && matcher.op == MatchOp::Equal && !matcher.value.is_empty()
            };
            let at = matchers.iter().position(equal);
            let at = at.ok_or_else(|| ParseError::new(selected.to_string(), UNNAMED))?;
            matchers.remove(at).value
        }
    };
    let mut selector = Selector::new(name);
    for matcher in matchers {
        if matcher.name == NAME {
            return Err(ParseError::new(selected.to_string(), UNNAMED));
        }
        let (key, value) = (names(&[matcher.name])?.remove(0), matcher.value);
        let with = match matcher.op {
            MatchOp::Equal => Ok(selector.label(key, value)),
            MatchOp::NotEqual => Ok(selector.label_not(key, value)),
            MatchOp::Re(_) => selector.label_matches(key, value),
            MatchOp::NotRe(_) => selector.label_not_matches(key, value),
        };
        selector =
            with.map_err(|error| ParseError::new(selected.to_string(), error.to_string()))?;
    }
    Ok(selector)
}

/// Names of labels, such as every version of Prometheus takes.
fn names(keys: &[String]) -> Parsed<Vec<String>> {
    let refused = keys.iter().find(|key| !is_label_name(key));
    match refused {
        None => Ok(keys.to_vec()),
        Some(key) => Err(ParseError::new(
            format!("label {key:?}"),
            "is no name for a label: letters, digits and underscores, no digit in front",
        )),
    }
}

/// What is said of a function or an aggregation that is not known here.
fn outside(name: &str) -> String {
    let instead = match name {
        "topk" | "bottomk" | "limitk" | "limit_ratio" => "compare with a limit instead (`> 0.5`)",
        "quantile" | "stddev" | "stdvar" => {
            "write `avg`, `min` or `max`, or a histogram with histogram_quantile"
        }
        "count_values" => "compare with each value, and `count` what is left",
        "group" => "write `count`",
        "irate" => "write `rate`",
        "delta" | "idelta" | "deriv" => {
            "write the difference of two aggregations, or `increase` of a counter"
        }
        "absent_over_time" => "write `absent` of `count_over_time`",
        "clamp" | "clamp_min" | "clamp_max" => "write comparisons, and `or` with the limit",
        "label_replace" | "label_join" => "set labels by a recording rule's `labels`",
        "pi" => "write 3.141592653589793",
        "sort" | "sort_desc" | "sort_by_label" | "sort_by_label_desc" => {
            "leave it out: elements have no order in a rule"
        }
        _ => {
            let overs = Over::ALL.iter().map(|over| over.as_str());
            let functions = Function::ALL.iter().map(|function| function.as_str());
            let known: Vec<&str> = overs.chain(functions).collect();
            return format!(
                "is not evaluated in this process, which knows {}, histogram_quantile, time",
                known.join(", ")
            );
        }
    };
    format!("is not evaluated in this process: {instead}")
}

const RANGE: &str = "is the samples of a range, which are no value by themselves: write rate(..), avg_over_time(..) or their like around it";
const RANGE_NEEDED: &str = "needs a range of one family's samples: write a selector with a range, such as requests_total[5m]";
const UNNAMED: &str = "names no family: write its name in front, one plain name that is set once";
