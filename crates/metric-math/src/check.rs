//! Names to types: whether an expression means something among the other entries of its request.

use crate::ast::{Expr, Node};
use crate::environment::ExternalData;
use crate::error::{MathError, Problem};
use crate::expression::Expression;
use crate::functions::{self, Body, Function};
use crate::value::Type;

/// What an id stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbol {
    /// A metric: a time series whose PERIOD can be asked for.
    Metric,
    /// A checked expression of this type, or a Metrics Insights query (a series, with GROUP BY an array).
    Expression(Type),
}

/// An expression that can be evaluated.
#[derive(Clone, Debug)]
pub struct Checked<'a> {
    pub(crate) expression: &'a Expression,
    result: Type,
    external: Vec<ExternalData>,
}

impl Expression {
    /// Checks names, functions and types. `symbol` tells what an id stands for; `None` if nothing has that
    /// id.
    ///
    /// A scalar or a text is accepted here, as another expression may use it; see
    /// [`Checked::require_series`].
    pub fn check(&self, symbol: impl Fn(&str) -> Option<Symbol>) -> Result<Checked<'_>, MathError> {
        let mut checker = Checker { text: self.text(), symbol: &symbol, external: Vec::new() };
        let result = checker.type_of(self.root())?;
        Ok(Checked { expression: self, result, external: checker.external })
    }
}

impl Checked<'_> {
    /// The type of what it is worth.
    pub fn result(&self) -> Type {
        self.result
    }

    /// What must be read from elsewhere before evaluation, in the order of the text.
    pub fn external_data(&self) -> &[ExternalData] {
        &self.external
    }

    /// Refuses what may not be returned: a final result is a time series or an array of them.
    pub fn require_series(&self) -> Result<(), MathError> {
        if self.result.is_returnable() {
            return Ok(());
        }
        let text = self.expression.text();
        Err(MathError::new(Problem::NotSeries(self.result), text, 0..text.len()))
    }
}

struct Checker<'a> {
    text: &'a str,
    symbol: &'a dyn Fn(&str) -> Option<Symbol>,
    external: Vec<ExternalData>,
}

impl Checker<'_> {
    fn type_of(&mut self, expr: &Expr) -> Result<Type, MathError> {
        match &expr.node {
            Node::Number(_) => Ok(Type::Scalar),
            Node::Text { .. } => Ok(Type::Text),
            Node::Word(word) => Err(self.error(Problem::Undefined(word.clone()), expr)),
            Node::Id(id) => match (self.symbol)(id) {
                Some(Symbol::Metric) => Ok(Type::Series),
                Some(Symbol::Expression(result)) => Ok(result),
                None => Err(self.error(Problem::Undefined(id.clone()), expr)),
            },
            Node::Negate(operand) => match self.type_of(operand)? {
                Type::Text => Err(self.error(Problem::SignOf(Type::Text), expr)),
                signed => Ok(signed),
            },
            Node::Chain { first, rest } => {
                let mut left = self.type_of(first)?;
                for (operator, operand) in rest {
                    let right = self.type_of(operand)?;
                    left = operator.result(left, right).ok_or_else(|| {
                        let problem = Problem::Operands { operator: *operator, left, right };
                        MathError::new(problem, self.text, expr.span.start..operand.span.end)
                    })?;
                }
                Ok(left)
            }
            Node::Array(elements) => {
                for element in elements {
                    let found = self.type_of(element)?;
                    if !found.is_returnable() {
                        return Err(self.error(Problem::Element(found), element));
                    }
                }
                Ok(Type::Array)
            }
            Node::Call { function: name, arguments } => match functions::find(name) {
                None => Err(self.error(Problem::UnknownFunction(name.clone()), expr)),
                Some(Function { body: Body::Refused, .. }) => {
                    Err(self.error(Problem::UnsupportedFunction(name.clone()), expr))
                }
                Some(function) => self.type_of_call(function, arguments, expr),
            },
        }
    }

    fn type_of_call(
        &mut self,
        function: &'static Function,
        arguments: &[Expr],
        call: &Expr,
    ) -> Result<Type, MathError> {
        let mut given = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let found = match argument.node {
                Node::Word(_) => None,
                _ => Some(self.type_of(argument)?),
            };
            given.push((argument, found));
        }
        let is_metric = |id: &str| (self.symbol)(id) == Some(Symbol::Metric);
        let Some(signature) = function.signatures.iter().find(|signature| signature.fits(&given, is_metric))
        else {
            let given: Vec<String> = given
                .iter()
                .map(|(argument, found)| {
                    found.map_or_else(|| argument.to_string(), |found| found.to_string())
                })
                .collect();
            let (given, usage) = (given.join(", "), function.usage());
            return Err(self.error(Problem::Arguments { function: function.name, given, usage }, call));
        };
        if let Body::External { request, .. } = function.body {
            let request = request(arguments).map_err(|problem| self.error(problem, call))?;
            self.external.push(ExternalData { request, span: call.span.clone() });
        }
        Ok(signature.result)
    }

    fn error(&self, problem: Problem, at: &Expr) -> MathError {
        MathError::new(problem, self.text, at.span.clone())
    }
}
