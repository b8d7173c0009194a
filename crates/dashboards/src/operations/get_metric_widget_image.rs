//! `GetMetricWidgetImage`: a metric widget as a picture.

use groundwatch_api::cloudwatch::{
    GetMetricWidgetImage, GetMetricWidgetImageInput, GetMetricWidgetImageOutput,
};
use groundwatch_api::{Blob, Fault, Handle};
use groundwatch_core::Call;

use crate::image::{Widget, WidgetError, render};
use crate::{DashboardError, Dashboards};

impl Handle<GetMetricWidgetImage> for Dashboards {
    async fn handle<'a>(
        &'a self,
        call: &'a Call,
        input: GetMetricWidgetImageInput,
    ) -> Result<GetMetricWidgetImageOutput, Fault> {
        let text = input.metric_widget.expect("validated: required");
        check_format(input.output_format)?;
        let image = self.draw(call, &text).await.map_err(DashboardError::from)?;
        Ok(GetMetricWidgetImageOutput { metric_widget_image: Some(Blob(image)) })
    }
}

impl Dashboards {
    async fn draw(&self, call: &Call, text: &str) -> Result<Vec<u8>, WidgetError> {
        let widget = Widget::parse(text, call.scope(), self.clock.now())?;
        let series = self.data.read(call, &widget.queries(), widget.from, widget.to).await?;
        // Milliseconds of arithmetic: not on the threads that answer everybody.
        let painted = tokio::task::spawn_blocking(move || render(&widget, series));
        painted.await.unwrap_or(Err(WidgetError::Encoding))
    }
}

fn check_format(format: Option<String>) -> Result<(), DashboardError> {
    match format.as_deref() {
        None | Some("png") => Ok(()),
        Some(_) => Err(DashboardError::Format { format: format.unwrap_or_default() }),
    }
}
