//! The places for connections: how many there may be, of one address too, some for health, and who
//! gives way when all are taken. Reads no bytes.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::client_address;
use super::server::ServerLimits;
use crate::limits;

/// The connections of one server.
#[derive(Debug)]
pub(super) struct ConnectionPlaces {
    limits: Arc<ServerLimits>,
    clock: Instant,
    table: Mutex<PlaceTable>,
}

#[derive(Debug, Default)]
struct PlaceTable {
    next: u64,
    taken: HashMap<u64, Arc<PlacedConnection>>,
    spare: HashMap<u64, Arc<PlacedConnection>>,
    /// Connections with a place that is no spare one, and requests that a proxy forwards, by
    /// address.
    of_addresses: HashMap<IpAddr, usize>,
}

/// A connection that has its place, as far as it is known.
#[derive(Debug)]
pub(super) struct PlacedConnection {
    /// None for a proxy that is trusted: what it forwards is counted instead.
    address: Option<IpAddr>,
    /// Since when the server waits for the client, in milliseconds of its clock; [`WORKING`] while
    /// the client waits for the server.
    waiting_since: AtomicU64,
    /// Told when another one takes the place.
    gives_way: Notify,
    clock: Instant,
}

const WORKING: u64 = u64::MAX;

/// A place in the table, given back when dropped.
#[derive(Debug)]
pub(super) struct ConnectionPlace {
    pub(super) connection: Arc<PlacedConnection>,
    /// Only health is answered here.
    pub(super) is_spare: bool,
    number: u64,
    places: Arc<ConnectionPlaces>,
}

/// A request that a proxy forwards, counted until this is dropped.
#[derive(Debug)]
pub(super) struct Forwarded {
    address: IpAddr,
    places: Arc<ConnectionPlaces>,
}

impl ConnectionPlaces {
    pub(super) fn new(limits: Arc<ServerLimits>) -> Arc<Self> {
        Arc::new(Self {
            limits,
            clock: Instant::now(),
            table: Mutex::default(),
        })
    }

    /// A place for a new connection; none when even the spare ones are taken.
    pub(super) fn take(self: &Arc<Self>, peer: IpAddr) -> Option<ConnectionPlace> {
        let is_proxy = self.limits.trusted_proxies.names(peer.to_canonical());
        let address = (!is_proxy).then(|| client_address::client(peer));
        let now = self.now();
        let mut table = self.table();
        let is_room = table.taken.len() < self.limits.connections;
        let is_room_for_it =
            address.is_none_or(|address| table.count(address) < self.most_of(address));
        let has_place = match (is_room, is_room_for_it) {
            (true, true) => true,
            // One of its own gives way, or anybody.
            (_, false) => table.give_way(now, self.limits.patience, |connection| {
                connection.address == address
            }),
            (false, true) => table.give_way(now, self.limits.patience, |_| true),
        };
        let is_spare = !has_place;
        if is_spare && table.spare.len() >= self.limits.spare_connections {
            let oldest = longest_waiting(&table.spare, now, limits::HTTP_SPARE_PATIENCE, |_| true)?;
            table.spare.remove(&oldest)?.gives_way.notify_one();
        }
        let connection = Arc::new(PlacedConnection {
            address,
            waiting_since: AtomicU64::new(now),
            gives_way: Notify::new(),
            clock: self.clock,
        });
        let number = table.next;
        table.next += 1;
        if is_spare {
            table.spare.insert(number, Arc::clone(&connection));
        } else {
            table.taken.insert(number, Arc::clone(&connection));
            if let Some(address) = address {
                *table.of_addresses.entry(address).or_default() += 1;
            }
        }
        Some(ConnectionPlace {
            connection,
            is_spare,
            number,
            places: Arc::clone(self),
        })
    }

    /// Counts a request that a trusted proxy forwards from this address; none when there are as
    /// many as there may be.
    pub(super) fn forward(self: &Arc<Self>, address: IpAddr) -> Option<Forwarded> {
        let mut table = self.table();
        if table.count(address) >= self.most_of(address) {
            return None;
        }
        *table.of_addresses.entry(address).or_default() += 1;
        Some(Forwarded {
            address,
            places: Arc::clone(self),
        })
    }

    /// This machine's own address may be that of a proxy with everybody behind it: it gets nearly
    /// all.
    fn most_of(&self, address: IpAddr) -> usize {
        let connections = self.limits.connections;
        let most = if address.is_loopback() {
            connections.saturating_sub(connections / 8)
        } else {
            self.limits.connections_of_an_address
        };
        most.max(1)
    }

    fn now(&self) -> u64 {
        millis(self.clock.elapsed())
    }

    fn table(&self) -> MutexGuard<'_, PlaceTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PlaceTable {
    fn count(&self, address: IpAddr) -> usize {
        self.of_addresses.get(&address).copied().unwrap_or_default()
    }

    fn uncount(&mut self, address: IpAddr) {
        if let Some(count) = self.of_addresses.get_mut(&address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.of_addresses.remove(&address);
            }
        }
    }

    /// Takes the place of the one that kept the server waiting longest, if that is long.
    fn give_way(
        &mut self,
        now: u64,
        patience: Duration,
        may: impl Fn(&PlacedConnection) -> bool,
    ) -> bool {
        let Some(number) = longest_waiting(&self.taken, now, patience, may) else {
            return false;
        };
        let Some(gone) = self.remove(number) else {
            return false;
        };
        gone.gives_way.notify_one();
        true
    }

    fn remove(&mut self, number: u64) -> Option<Arc<PlacedConnection>> {
        let gone = self.taken.remove(&number)?;
        if let Some(address) = gone.address {
            self.uncount(address);
        }
        Some(gone)
    }
}

fn longest_waiting(
    connections: &HashMap<u64, Arc<PlacedConnection>>,
    now: u64,
    patience: Duration,
    may: impl Fn(&PlacedConnection) -> bool,
) -> Option<u64> {
    let since = |connection: &PlacedConnection| connection.waiting_since.load(Ordering::Relaxed);
    let candidates = connections
        .iter()
        .filter(|(_, connection)| may(connection) && since(connection) != WORKING);
    let (number, connection) =
        candidates.min_by_key(|(number, connection)| (since(connection), **number))?;
    (now.saturating_sub(since(connection)) >= millis(patience)).then_some(*number)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(WORKING - 1)
}

impl PlacedConnection {
    /// The client waits for the server.
    pub(super) fn works(&self) {
        self.waiting_since.store(WORKING, Ordering::Relaxed);
    }

    /// The server waits for the client, from now on.
    pub(super) fn waits(&self) {
        self.waiting_since
            .store(millis(self.clock.elapsed()), Ordering::Relaxed);
    }

    /// Completes when another connection takes the place.
    pub(super) async fn gives_way(&self) {
        self.gives_way.notified().await;
    }
}

impl ConnectionPlace {
    /// Counts a request that a trusted proxy forwards.
    pub(super) fn forward(&self, address: IpAddr) -> Option<Forwarded> {
        self.places.forward(address)
    }
}

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        let mut table = self.places.table();
        if self.is_spare {
            table.spare.remove(&self.number);
        } else {
            table.remove(self.number);
        }
    }
}

impl Drop for Forwarded {
    fn drop(&mut self) {
        self.places.table().uncount(self.address);
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;
    use std::time::Duration;

    use super::{ConnectionPlace, ConnectionPlaces};
    use crate::http::ServerLimits;
    use crate::limits;

    const PATIENCE: Duration = Duration::from_secs(5);

    fn places(connections: usize, of_an_address: usize) -> Arc<ConnectionPlaces> {
        ConnectionPlaces::new(Arc::new(
            ServerLimits::default()
                .connections(connections)
                .connections_of_an_address(of_an_address)
                .spare_connections(2)
                .patience(PATIENCE)
                .trusted_proxies(["10.0.0.1".parse().unwrap()].into_iter().collect()),
        ))
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn ordinary(
        places: &Arc<ConnectionPlaces>,
        peer: IpAddr,
        count: usize,
    ) -> Vec<ConnectionPlace> {
        let taken: Vec<_> = (0..count).map(|_| places.take(peer).unwrap()).collect();
        assert!(taken.iter().all(|place| !place.is_spare));
        taken
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_the_cap_are_spare_places_and_beyond_them_none() {
        let places = places(3, 3);
        let mut taken = ordinary(&places, address(1), 3);
        let spare: Vec<_> = (0..2).map(|_| places.take(address(2)).unwrap()).collect();
        assert!(spare.iter().all(|place| place.is_spare));
        assert!(places.take(address(3)).is_none());
        taken.pop();
        assert!(!places.take(address(3)).unwrap().is_spare);
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_cannot_have_them_all_and_this_machine_nearly() {
        for (peer, most) in [
            ("192.0.2.1", 4),
            ("2001:db8::1", 4),
            ("127.0.0.1", 14),
            ("10.0.0.1", 16),
        ] {
            let places = places(16, 4);
            let peer: IpAddr = peer.parse().unwrap();
            let mut taken = ordinary(&places, peer, most);
            assert!(places.take(peer).unwrap().is_spare, "{peer}");
            assert_eq!(
                places.take(address(9)).unwrap().is_spare,
                most == 16,
                "{peer}"
            );
            taken.pop();
            assert!(!places.take(peer).unwrap().is_spare, "{peer}");
        }
        let places = places(16, 2);
        let _same_client = [
            ordinary(&places, "2001:db8::1".parse().unwrap(), 1),
            ordinary(&places, "2001:db8::2".parse().unwrap(), 1),
        ];
        assert!(
            places
                .take("2001:db8::3".parse().unwrap())
                .unwrap()
                .is_spare
        );
        assert!(
            !places
                .take("2001:db8:0:1::3".parse().unwrap())
                .unwrap()
                .is_spare
        );
    }

    #[tokio::test(start_paused = true)]
    async fn who_kept_the_server_waiting_longest_gives_way() {
        let places = places(3, 3);
        let taken = ordinary(&places, address(1), 3);
        taken[0].connection.works();
        tokio::time::advance(PATIENCE - Duration::from_millis(1)).await;
        taken[1].connection.waits();
        assert!(places.take(address(2)).unwrap().is_spare);
        tokio::time::advance(Duration::from_millis(1)).await;
        let newcomer = places.take(address(2)).unwrap();
        assert!(!newcomer.is_spare);
        taken[2].connection.gives_way().await;
        assert!(
            places.take(address(2)).unwrap().is_spare,
            "nobody else waits for long"
        );
        tokio::time::advance(PATIENCE).await;
        let second = places.take(address(2)).unwrap();
        assert!(!second.is_spare);
        taken[1].connection.gives_way().await;
        drop(taken);
        assert_eq!(
            places.table().taken.len(),
            2,
            "who gave way gives no second place back"
        );
    }

    /// An address that has as many as it may have takes the places of its own.
    #[tokio::test(start_paused = true)]
    async fn an_address_with_its_share_crowds_out_itself_alone() {
        let places = places(4, 2);
        let others = ordinary(&places, address(1), 2);
        tokio::time::advance(Duration::from_secs(1)).await;
        let own = ordinary(&places, address(2), 2);
        tokio::time::advance(PATIENCE).await;
        assert!(!places.take(address(2)).unwrap().is_spare);
        own[0].connection.gives_way().await;
        assert!(
            others
                .iter()
                .all(|place| places.table().taken.contains_key(&place.number))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn spare_places_are_taken_by_turns() {
        let places = places(1, 1);
        let _taken = ordinary(&places, address(1), 1);
        let spare: Vec<_> = (0..2).map(|_| places.take(address(2)).unwrap()).collect();
        assert!(places.take(address(2)).is_none());
        tokio::time::advance(limits::HTTP_SPARE_PATIENCE).await;
        assert!(places.take(address(2)).unwrap().is_spare);
        spare[0].connection.gives_way().await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_proxy_forwards_counts_by_its_address() {
        let places = places(16, 2);
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let _connections = ordinary(&places, proxy, 3);
        let first = places.forward(address(1)).unwrap();
        let _second = places.forward(address(1)).unwrap();
        assert!(places.forward(address(1)).is_none());
        assert!(places.forward(address(2)).is_some());
        drop(first);
        assert!(places.forward(address(1)).is_some());
    }
}
