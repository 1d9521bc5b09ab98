//! The demo range: what a skald, a traveller or a cook of the north would buy.

use super::{Money, Product};

/// SKU, name, description, price in cents.
type Row = (&'static str, &'static str, &'static str, u64);

const ROWS: [Row; 28] = [
    (
        "ale-horn",
        "Ale horn",
        "A polished cow horn with a brass rim. Holds half a litre and cannot be put down full.",
        3_490,
    ),
    (
        "amber-pendant",
        "Amber pendant",
        "Baltic amber on a linen cord; every piece has its own cloud.",
        4_900,
    ),
    (
        "arm-ring-silver",
        "Silver arm ring",
        "Twisted by hand, open at the back, worn by those who keep their word.",
        18_900,
    ),
    (
        "bone-comb",
        "Bone comb",
        "Antler, with a case of ash wood. For beards of all lengths.",
        2_450,
    ),
    (
        "bone-dice",
        "Set of bone dice",
        "Six dice in a pouch, guaranteed honest.",
        1_290,
    ),
    (
        "bronze-brooch",
        "Bronze brooch",
        "An oval brooch after a find from Birka; holds a cloak in any wind.",
        5_600,
    ),
    (
        "cloak-wool",
        "Wool cloak",
        "Fulled wool in moss green, warm when wet, wide enough to sleep in.",
        14_900,
    ),
    (
        "cured-salmon",
        "Cured salmon",
        "A side of salmon with dill and juniper, one kilogram.",
        3_995,
    ),
    (
        "dragon-prow",
        "Dragon prow, small",
        "Carved of oak for a boat, a sledge or a balcony.",
        24_900,
    ),
    (
        "drinking-bowl",
        "Drinking bowl",
        "Turned of birch, with a knotwork band; passes from hand to hand.",
        2_790,
    ),
    (
        "goose-quills",
        "Goose quills",
        "Ten quills, hardened and cut. The ink is not included.",
        890,
    ),
    (
        "hnefatafl-board",
        "Hnefatafl board",
        "King's table: a folded board of leather, 37 pieces, and the rules.",
        5_490,
    ),
    (
        "honey-heather",
        "Heather honey",
        "From the coast, dark and nearly solid. A jar of 450 grams.",
        1_150,
    ),
    (
        "ink-oak-gall",
        "Oak gall ink",
        "Goes on grey and stays black for a thousand years. 50 millilitres.",
        1_390,
    ),
    (
        "iron-cauldron",
        "Iron cauldron",
        "Eight litres, three feet, one handle; improves with every stew.",
        12_500,
    ),
    (
        "kantele-five",
        "Five-string kantele",
        "Hollowed of alder, tuned to the old mode. The songs are yours.",
        23_900,
    ),
    (
        "lamp-soapstone",
        "Soapstone lamp",
        "A bowl for oil and a wick; keeps its warmth long after the light.",
        3_150,
    ),
    (
        "lyre-oak",
        "Oak lyre",
        "Six strings of gut on a body of oak. What a skald tunes before speaking.",
        34_900,
    ),
    (
        "map-north-sea",
        "Map of the North Sea",
        "Printed on linen: coasts, currents and where the monsters are.",
        2_900,
    ),
    (
        "mead-dry",
        "Dry mead",
        "Honey, water, yeast and two winters. A bottle of 0.75 litres.",
        1_990,
    ),
    (
        "mittens-nalbound",
        "Nalbound mittens",
        "Made with one needle and no knitting; they do not unravel.",
        3_690,
    ),
    (
        "rune-stones",
        "Rune stones",
        "The 24 runes of the elder row on river pebbles, in a pouch.",
        2_190,
    ),
    (
        "saga-collection",
        "Collected sagas",
        "Eleven sagas in one volume, bound in cloth, with a family tree that folds out.",
        4_290,
    ),
    (
        "shield-round",
        "Round shield",
        "Linden planks, rawhide edge, iron boss. Unpainted, for your own colours.",
        15_900,
    ),
    (
        "skyr-culture",
        "Skyr culture",
        "A pot of living culture; feed it milk and it outlives you.",
        690,
    ),
    (
        "sun-compass",
        "Sun compass",
        "A disc of spruce with a gnomon. Finds north wherever there is a shadow.",
        6_400,
    ),
    (
        "tent-peg-oak",
        "Oak tent pegs",
        "A dozen, split along the grain and tapered.",
        990,
    ),
    (
        "wax-tablet",
        "Wax tablet",
        "Two leaves of maple filled with beeswax, and a stylus with an eraser.",
        2_650,
    ),
];

/// The products a new shop begins with, in the order of their SKUs.
pub fn range() -> Vec<Product> {
    ROWS.iter()
        .map(|(sku, name, description, amount)| Product {
            sku: (*sku).to_owned(),
            name: (*name).to_owned(),
            description: (*description).to_owned(),
            price: Money {
                amount: *amount,
                currency: "EUR".to_owned(),
            },
        })
        .collect()
}
