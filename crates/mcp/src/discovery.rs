//! Plugins that register themselves: a crate that is linked in is found, and nobody has to name it.
//! Behind the feature `discovery`; a plugin is a function that adds to a builder.

use std::any::Any;

use crate::endpoint::EndpointBuilder;

#[doc(hidden)]
pub use inventory;

/// A plugin that registered itself with [`plugin!`](crate::plugin).
pub struct Registered {
    name: &'static str,
    /// Adds to the `EndpointBuilder<C>`, when `C` is the plugin's.
    add: fn(&mut dyn Any),
}

inventory::collect!(Registered);

impl Registered {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str, add: fn(&mut dyn Any)) -> Self {
        Self { name, add }
    }

    #[doc(hidden)]
    pub fn add_to<C: Send + Sync + 'static>(
        builder: &mut dyn Any,
        plugin: impl FnOnce(EndpointBuilder<C>) -> EndpointBuilder<C>,
    ) {
        if let Some(builder) = builder.downcast_mut::<EndpointBuilder<C>>() {
            let nothing = EndpointBuilder::new(String::new(), String::new());
            *builder = plugin(std::mem::replace(builder, nothing));
        }
    }
}

impl<C: Send + Sync + 'static> EndpointBuilder<C> {
    /// Adds what every plugin for this context adds that registered itself with
    /// [`plugin!`](crate::plugin), in the order of their paths.
    ///
    /// Only crates that are linked are found: `use the_crate as _;` links one that nothing else
    /// names. Endpoints that shall not have the same plugins have contexts of different types.
    #[must_use]
    pub fn discover(mut self) -> Self {
        let mut found: Vec<&Registered> = inventory::iter::<Registered>.into_iter().collect();
        found.sort_unstable_by_key(|plugin| plugin.name);
        for plugin in found {
            (plugin.add)(&mut self);
        }
        self
    }
}

/// Registers a plugin for one type of context: every endpoint of that context has it that says
/// `discover()`. Needs the feature `discovery`.
///
/// ```
/// use footbridge_mcp::{Call, Endpoint, EndpointBuilder, Output, Tool};
///
/// pub struct Site;
///
/// fn visits(endpoint: EndpointBuilder<Site>) -> EndpointBuilder<Site> {
///     let schema = serde_json::json!({"type": "object"});
///     endpoint.tool(Tool::new("count_visits", "Count the visits.", schema, |_: Call<Site>| async { Ok(Output::text("7")) }))
/// }
/// footbridge_mcp::plugin!(Site, visits);
///
/// let endpoint: Endpoint<Site> = footbridge_mcp::endpoint!("site").discover().build()?;
/// assert!(endpoint.tool_list(Site).contains("count_visits"));
/// # Ok::<(), footbridge_mcp::BuildProblems>(())
/// ```
#[macro_export]
macro_rules! plugin {
    ($context:ty, $plugin:path) => {
        $crate::discovery::inventory::submit! {
            $crate::discovery::Registered::new(
                concat!(module_path!(), "::", stringify!($plugin)),
                |builder: &mut dyn ::std::any::Any| $crate::discovery::Registered::add_to::<$context>(builder, $plugin),
            )
        }
    };
}

impl std::fmt::Debug for Registered {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Registered")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
