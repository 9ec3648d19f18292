//! Routes that are counted under another name, twice declared, or not at all.

use plimsoll::http::Route;

use super::*;

/// Sends a request to each route once.
async fn visit(layer: MeasureLayer, routes: &[&'static str]) {
    let service = tower::Layer::layer(
        &layer,
        tower::service_fn(|_: Request<()>| async {
            Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
        }),
    );
    for route in routes {
        let mut request = Request::new(());
        request.extensions_mut().insert(Route::from_static(route));
        service.clone().oneshot(request).await.unwrap();
    }
}

#[tokio::test]
async fn a_renamed_route_counts_where_it_has_gone() {
    let plimsoll = Plimsoll::builder().build().unwrap();
    let layer = MeasureLayer::new(&plimsoll)
        .rename_route("/old/{id}", "/new/{id}")
        .group_routes(["/favicon.ico", "/static/*"], "assets");
    let routes = [
        "/old/{id}",
        "/new/{id}",
        "/favicon.ico",
        "/static/a",
        "/static/",
        "/static",
    ];
    visit(layer, &routes).await;
    let expected = [
        line("GET /new/{id}", 2),
        line("GET /static", 1),
        line("GET assets", 3),
    ];
    assert_eq!(lines(&plimsoll), expected);
}

#[tokio::test]
async fn of_several_that_fit_the_first_holds_and_excluded_ones_are_not_counted_at_all() {
    let plimsoll = Plimsoll::builder().build().unwrap();
    let layer = MeasureLayer::new(&plimsoll)
        .rename_route("/a", "/b")
        .rename_route("/b", "/c")
        .group_routes(["/a", "*"], "rest")
        .exclude(["/health", "/c"]);
    visit(layer, &["/a", "/b", "/d", "/health", "/c"]).await;
    // `/c` is excluded by its own template, not as the new name of `/b`.
    let expected = [line("GET /b", 1), line("GET /c", 1), line("GET rest", 1)];
    assert_eq!(lines(&plimsoll), expected);
}

#[tokio::test]
async fn what_is_renamed_is_declared_under_its_new_name_and_twice_is_once() {
    let plimsoll = Plimsoll::builder().max_series(1).build().unwrap();
    let layer = MeasureLayer::new(&plimsoll).rename_route("/old", "/new");
    let layer = layer.declare_routes([("GET", "/old"), ("GET", "/new"), ("GET", "/new")]);
    let other = MeasureLayer::new(&plimsoll).declare_routes([("GET", "/new")]);
    assert_eq!(lines(&plimsoll), [line("GET /new", 0)]);
    visit(layer, &["/x", "/y", "/old", "/new"]).await;
    visit(other, &["/new"]).await;
    let expected = [
        line("GET /new", 3),
        line("GET /x", 1),
        line("other other", 1),
    ];
    assert_eq!(lines(&plimsoll), expected);
}
