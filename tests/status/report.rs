//! The page about a status, in a real browser. `TEST_PICTURES=folder` keeps its pictures, to be looked at.

use std::path::Path;

use serde_json::Value;
use shardwise::advise::{Advice, AdviceOptions};
use shardwise::{Cluster, Status};

use super::{play, until, with_standbys};
use crate::support::browser::Browser;
use crate::support::direct::on;
use crate::support::schema;

/// A phone and a desk.
const SCREENS: [(u32, u32); 2] = [(390, 844), (1440, 900)];

/// What lies beyond the right edge; texts of a picture that lie on one another, or outside of it; the colour below all.
const LOOK: &str = r#"(() => {
    const wide = document.documentElement.clientWidth;
    const beyond = [...document.querySelectorAll('body *')]
        .filter(it => { const box = it.getBoundingClientRect(); return box.width > 1 && box.right > wide + 0.5; })
        .map(it => it.tagName + '.' + (it.getAttribute('class') || ''));
    const clashes = [];
    let texts = 0, smallest = 100;
    for (const svg of document.querySelectorAll('svg')) {
        const frame = svg.getBoundingClientRect();
        const all = [...svg.querySelectorAll('text')].map(it => [it.textContent, it.getBoundingClientRect()]);
        texts += all.length;
        for (const it of svg.querySelectorAll('text'))
            smallest = Math.min(smallest, parseFloat(getComputedStyle(it).fontSize) * frame.width / svg.viewBox.baseVal.width);
        for (const [text, box] of all)
            if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1) clashes.push('outside: ' + text);
        for (let i = 0; i < all.length; i++)
            for (let j = 0; j < i; j++) {
                const [a, b] = [all[i][1], all[j][1]];
                if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 0.5)
                    clashes.push(all[i][0] + ' / ' + all[j][0]);
            }
    }
    return { scrolls: document.documentElement.scrollWidth - wide, beyond, clashes, texts, smallest,
        cells: document.querySelectorAll('.cells .cell').length, back: getComputedStyle(document.body).backgroundColor,
        ran: document.querySelectorAll('script').length };
})()"#;

/// Opens the page on each screen, in the light and in the dark. Returned: what was found on each.
fn look(browser: &mut Browser, name: &str, page: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("status.html");
    std::fs::write(&file, page).unwrap();
    if let Some(folder) = std::env::var_os("TEST_PICTURES") {
        std::fs::write(Path::new(&folder).join(format!("{name}.html")), page).unwrap();
    }
    let mut found = Vec::new();
    for (width, height) in SCREENS {
        for scheme in ["light", "dark"] {
            browser.open(&file, width, height, scheme);
            let seen = browser.evaluate(LOOK);
            println!("REPORT {name} {width} {scheme}: {seen}");
            assert_eq!(seen["scrolls"], 0, "{name} {width} {scheme}: {seen:#}");
            assert_eq!(seen["beyond"], serde_json::json!([]), "{name} {width} {scheme}");
            assert_eq!(seen["clashes"], serde_json::json!([]), "{name} {width} {scheme}");
            assert!(seen["smallest"].as_f64().unwrap() >= 9.0, "too small to be read: {seen:#}");
            let back = if scheme == "light" { "rgb(244, 246, 249)" } else { "rgb(14, 18, 24)" };
            assert_eq!(seen["back"], back);
            assert_eq!(seen["ran"], 0, "nothing of the page is a script");
            if let Some(folder) = std::env::var_os("TEST_PICTURES") {
                let picture = Path::new(&folder).join(format!("{name}-{width}-{scheme}.png"));
                std::fs::write(picture, browser.picture()).unwrap();
            }
            found.push(seen);
        }
    }
    found
}

async fn advice(cluster: &Cluster) -> Advice {
    cluster.admin().advise(&schema(), &AdviceOptions::for_users(5_000)).await.unwrap()
}

#[tokio::test]
async fn a_page_of_a_real_cluster_can_be_read_on_a_phone_and_a_desk() {
    let name = "status::report::a_page_of_a_real_cluster_can_be_read_on_a_phone_and_a_desk";
    let Some(mut browser) = Browser::start(name) else { return };
    let Some((local, config)) = with_standbys(name).await else { return };
    let cluster = Cluster::connect(config).await.unwrap();
    play(&cluster).await;
    let well = cluster.status_of(&schema()).await;
    let shards = usize::try_from(well.shards()).unwrap();
    let advice = advice(&cluster).await;
    for seen in look(&mut browser, "well", &well.html(Some(&advice))) {
        assert_eq!(seen["cells"], shards);
    }
    // A standby that stands still, and a worker that is gone.
    on(&local.standbys()[0], "SELECT pg_wal_replay_pause()").await;
    let fest = crate::citus::stage::tenant_in(&cluster, shardwise::Region::EU).await;
    super::fill(&fest, 10).await;
    local.workers()[1].kill().await.unwrap();
    until(&cluster, |status| status.down().count() == 1).await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let ill: Status = cluster.status_of(&schema()).await;
    look(&mut browser, "ill", &ill.html(None));
    // Names as long as they can be, and as bad.
    let mut bad = ill;
    for node in &mut bad.nodes {
        node.name = format!("{}.{}</svg><script>1</script>\"'&:5432", "w".repeat(63), "averylonglabel".repeat(4));
    }
    for check in &mut bad.checks {
        check.node = Some("x".repeat(200));
        check.evidence = "y".repeat(300);
    }
    for group in &mut bad.groups {
        group.tables = vec!["z".repeat(63); 30];
    }
    bad.database = format!("{}</title><script>1</script>", "d".repeat(63));
    look(&mut browser, "bad", &bad.html(Some(&advice)));
}

#[tokio::test]
async fn a_page_of_one_server_can_be_read_too() {
    let name = "status::report::a_page_of_one_server_can_be_read_too";
    let Some(mut browser) = Browser::start(name) else { return };
    let cluster = crate::support::place::Place::Single.cluster().await;
    look(&mut browser, "single", &cluster.status().await.html(None));
}
