<?php
// Two people; the second one's values are awkward on purpose. NAME:PASSWORD is who signs in.
$config = ['people' => [
    'exampleauth:UserPass',
    'ada:ada' => [
        'uid' => ['ada'], 'eduPersonPrincipalName' => ['ada@campus.example'], 'mail' => ['ada@campus.example'], 'displayName' => ['Ada of the campus'],
        'eduPersonScopedAffiliation' => ['member@campus.example', 'staff@campus.example'],
    ],
    'bo:bo' => [
        'uid' => ['bo'], 'eduPersonPrincipalName' => ['bo@campus.example'], 'mail' => ['bo@campus.example', 'b.jurgens@campus.example'],
        'displayName' => ["Bo J\u{fc}rgens <b&b> \"q\""], 'eduPersonScopedAffiliation' => ['member@campus.example'], 'ou' => ["R&D\n2nd line"],
    ],
]];
