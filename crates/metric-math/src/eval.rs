//! Evaluation: walks the tree, applies operators, calls functions, and counts the points that all of it looks
//! at.

use std::num::NonZeroU32;

use crate::arithmetic;
use crate::ast::{Expr, Node};
use crate::bounds::POINTS_MAX;
use crate::check::Checked;
use crate::environment::{Environment, ExternalRequest};
use crate::error::{MathError, Problem};
use crate::functions::{self, Call};
use crate::operator::Operator;
use crate::periods;
use crate::series::Series;
use crate::value::Value;
use crate::work::{Work, bounded};

impl Checked<'_> {
    /// What the expression is worth. The environment's values are of the types that the check was told;
    /// others are an error. Takes time in proportion to the points that it looks at, which [`POINTS_MAX`]
    /// bounds.
    pub fn evaluate(&self, environment: &dyn Environment) -> Result<Value, MathError> {
        let evaluator = Evaluator { checked: self, environment, work: Work::new(POINTS_MAX) };
        evaluator.value(self.expression.root())
    }
}

struct Evaluator<'a> {
    checked: &'a Checked<'a>,
    environment: &'a dyn Environment,
    work: Work,
}

impl Evaluator<'_> {
    fn value(&self, expr: &Expr) -> Result<Value, MathError> {
        match &expr.node {
            Node::Number(number) => Ok(Value::scalar(*number)),
            Node::Text { value, .. } => Ok(Value::Text(value.clone())),
            Node::Word(word) => Ok(Value::Text(word.clone())),
            Node::Id(id) => {
                let value = self.environment.value(id);
                value.ok_or_else(|| self.error(Problem::Undefined(id.clone()), expr))
            }
            Node::Negate(operand) => {
                let value = self.value(operand)?;
                if let Value::Text(_) = value {
                    return Err(self.error(Problem::SignOf(value.value_type()), expr));
                }
                self.applied(Operator::Multiply, Value::Scalar(-1.0), value, expr)
            }
            Node::Chain { first, rest } => {
                let mut left = self.value(first)?;
                for (operator, operand) in rest {
                    let right = self.value(operand)?;
                    left = self.applied(*operator, left, right, expr)?;
                }
                Ok(left)
            }
            Node::Array(elements) => self.array(elements, expr),
            Node::Call { function, arguments } => self.call(function, arguments, expr),
        }
    }

    fn applied(
        &self,
        operator: Operator,
        left: Value,
        right: Value,
        expr: &Expr,
    ) -> Result<Value, MathError> {
        let range = self.environment.range();
        let value = arithmetic::apply(operator, left, right, range, &self.work);
        value.map_err(|problem| self.error(problem, expr))
    }

    /// Series and arrays one after the other. A series without a label is called as it is written.
    fn array(&self, elements: &[Expr], expr: &Expr) -> Result<Value, MathError> {
        let mut array = Vec::with_capacity(elements.len());
        for element in elements {
            match self.value(element)? {
                Value::Series(series) if series.label().is_empty() => {
                    array.push(series.with_label(element.to_string()));
                }
                Value::Series(series) => array.push(series),
                Value::Array(inner) => array.extend(inner),
                other => return Err(self.error(Problem::Element(other.value_type()), element)),
            }
            array = bounded(array).map_err(|problem| self.error(problem, expr))?;
        }
        Ok(Value::Array(array))
    }

    fn call(&self, name: &str, arguments: &[Expr], expr: &Expr) -> Result<Value, MathError> {
        let function = functions::find(name)
            .ok_or_else(|| self.error(Problem::UnknownFunction(name.to_owned()), expr))?;
        let values = arguments.iter().map(|argument| self.value(argument)).collect::<Result<Vec<_>, _>>()?;
        let call = Call {
            function: function.name,
            environment: self.environment,
            work: &self.work,
            need: self.checked.external_data().iter().find(|need| need.span == expr.span),
            own_period_secs: &|function| self.own_period_secs(function),
        };
        let value = function.run(&call, &values).and_then(|value| match value {
            Value::Array(array) => bounded(array).map(Value::Array),
            other => Ok(other),
        });
        value.map_err(|problem| self.error(problem, expr))
    }

    /// The period of a series that comes from no other: the entry's own, or else that of the entries that the
    /// expression refers to and of its searches.
    fn own_period_secs(&self, function: &'static str) -> Result<NonZeroU32, Problem> {
        if let Some(period_secs) = self.environment.period_secs() {
            return Ok(period_secs);
        }
        let expression = self.checked.expression;
        let mut ids: Vec<&str> = expression.references().iter().map(|reference| reference.id).collect();
        if expression.uses_metrics() {
            ids.extend(self.environment.metric_ids());
        }
        let entries =
            ids.into_iter().filter_map(|id| self.environment.value(id)).flat_map(|value| match value {
                Value::Series(series) => vec![series.period_secs()],
                Value::Array(array) => array.iter().map(Series::period_secs).collect(),
                Value::Scalar(_) | Value::Text(_) => Vec::new(),
            });
        let searches = self.checked.external_data().iter().filter_map(|need| match need.request {
            ExternalRequest::Search { period_secs, .. } => period_secs,
            _ => None,
        });
        periods::common(entries.chain(searches))?.ok_or(Problem::PeriodRequired(function))
    }

    fn error(&self, problem: Problem, at: &Expr) -> MathError {
        MathError::new(problem, self.checked.expression.text(), at.span.clone())
    }
}
