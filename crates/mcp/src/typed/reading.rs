//! Resources that are types: the struct of an address's parameters.

use std::future::Future;

use super::{InputType, schema, texts};
use crate::call::Call;
use crate::output::Failure;
use crate::resource::{Resource, ResourceResult};

/// A resource that is the struct of its address's parameters; one without parameters is a struct
/// without fields.
///
/// The type's name in `snake_case` is the resource's name, its documentation the description. Each
/// field is read from the parameter of its name: text, numbers, `true` and `false`, enums of names.
/// An address whose parameters do not read so is not of this resource, and the next is tried.
///
/// ```
/// use footbridge_mcp::{Call, Endpoint, Failure, Read, Resource, ResourceResult};
///
/// /// An order by its number.
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Order {
///     id: u64,
/// }
///
/// impl<C: Send + Sync + 'static> Read<C> for Order {
///     const ADDRESS: &'static str = "orders://{id}";
///
///     async fn read(self, _: &Call<C>) -> ResourceResult {
///         if self.id == 7 { Ok("seven bolts".into()) } else { Err(Failure::NotFound) }
///     }
/// }
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let endpoint: Endpoint<()> = footbridge_mcp::endpoint!("shop").resource(Resource::of::<Order>().mime_type("text/plain")).build()?;
/// assert_eq!(endpoint.test(()).read("orders://7").await?.text(), "seven bolts");
/// assert!(endpoint.test(()).read("orders://seven").await.is_err());
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(run()).unwrap();
/// ```
pub trait Read<C>: InputType {
    /// Its URI, or a template of one (RFC 6570 level 1, and `{+path}` last) with the names of the
    /// fields in it.
    const ADDRESS: &'static str;

    /// Reads it. The parameters are in `self`; the call's arguments are empty.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when there is nothing at this address for the caller; [`crate::fail`]
    /// with another sentence for the client; any other error is a bug or trouble of ours, logged
    /// and not shown.
    fn read(self, call: &Call<C>) -> impl Future<Output = ResourceResult> + Send;

    /// Who may see and read it. To everybody else it does not exist. Default: everybody.
    fn allowed_for(_call: &Call<C>) -> bool {
        true
    }
}

impl<C: Send + Sync + 'static> Resource<C> {
    /// A resource that is the struct of its address's parameters. Every part of it can be said
    /// otherwise with the methods of [`Resource`].
    #[must_use]
    pub fn of<T: Read<C>>() -> Self {
        let read = |mut call: Call<C>| {
            // Admitted before, so it reads again.
            let parameters =
                texts::read::<T::Derived>(&std::mem::take(&mut call.arguments).into_map());
            async move {
                T::of(parameters.map_err(|_| Failure::NotFound)?)
                    .read(&call)
                    .await
            }
        };
        let name = schema::name::<T::Derived>();
        let resource = if T::ADDRESS.contains('{') {
            Self::template(T::ADDRESS, name, read)
        } else {
            Self::new(T::ADDRESS, name, read)
        };
        let description = schema::description::<T::Derived>();
        let resource = if description.is_empty() {
            resource
        } else {
            resource.description(description)
        };
        resource
            .with_fields(schema::fields::<T::Derived>(), |parameters| {
                texts::read::<T::Derived>(parameters).is_ok()
            })
            .allowed_for(T::allowed_for)
    }
}
