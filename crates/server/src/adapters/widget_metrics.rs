//! The metric store, as widgets are drawn from it.

use groundwatch_core::{BoxFuture, Call, Timestamp};
use groundwatch_dashboards as dashboards;
use groundwatch_metrics::{
    DataQuery, DataSource, EvaluatedSeries, EvaluationRange, MetricId, MetricStat, MetricStore, Period,
};

/// The metric store, as widgets read it.
pub(crate) struct WidgetMetrics(pub(crate) MetricStore);

impl dashboards::WidgetDataSource for WidgetMetrics {
    fn read<'a>(
        &'a self,
        call: &'a Call,
        queries: &'a [dashboards::WidgetQuery],
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<dashboards::WidgetSeries>, dashboards::WidgetDataError>> {
        Box::pin(async move {
            let queries = queries.iter().map(widget_query).collect::<Result<Vec<_>, _>>()?;
            let range = EvaluationRange::of_request(from, to, call.received);
            let evaluated = self.0.evaluate(call.scope(), queries, &range).await.map_err(|error| {
                let refused = error.is_refusal();
                let text = error.to_string();
                match refused {
                    true => dashboards::WidgetDataError::Refused(text),
                    false => dashboards::WidgetDataError::Unavailable(text),
                }
            })?;
            evaluated.series.into_iter().map(widget_series).collect()
        })
    }
}

fn widget_query(query: &dashboards::WidgetQuery) -> Result<DataQuery, dashboards::WidgetDataError> {
    let refuse = |what: String| dashboards::WidgetDataError::Refused(what);
    let period = Period::from_secs(i64::from(query.period_secs)).ok_or_else(|| {
        refuse(format!("period {} is not 1, 5, 10, 20, 30 or a multiple of 60", query.period_secs))
    })?;
    let source = match &query.source {
        dashboards::QuerySource::Expression(text) => {
            DataSource::Expression { text: text.clone(), period: Some(period) }
        }
        dashboards::QuerySource::Metric { namespace, name, dimensions, stat } => {
            let statistic = stat.parse().map_err(|_| refuse(format!("`{stat}` is not a statistic")))?;
            let (namespace, name, dimensions) = (namespace.clone(), name.clone(), dimensions.clone());
            let metric = MetricId { namespace, name, dimensions };
            DataSource::Metric(MetricStat {
                metric,
                statistic,
                statistic_text: stat.clone(),
                period,
                unit: None,
            })
        }
    };
    Ok(DataQuery { id: query.id.clone(), source, label: query.label.clone(), is_returned: query.is_shown })
}

fn widget_series(series: EvaluatedSeries) -> Result<dashboards::WidgetSeries, dashboards::WidgetDataError> {
    if series.is_unreadable {
        let text = format!("the data of `{}` cannot be read", series.label);
        return Err(dashboards::WidgetDataError::Unavailable(text));
    }
    let points = series.points.into_iter().map(|(start, value)| (start.timestamp(), value)).collect();
    Ok(dashboards::WidgetSeries { id: series.id, label: series.label, points })
}
