<?php
// Only what a test needs; everything lies in DIR.
$dir = getenv('DIR');
$secure = str_starts_with(getenv('BASE'), 'https://');
$config = [
    'baseurlpath' => getenv('BASE') . '/',
    'certdir' => "$dir/cert/",
    'loggingdir' => "$dir/log/",
    'datadir' => "$dir/",
    'tempdir' => "$dir/tmp",
    'metadatadir' => "$dir/metadata/",
    'attributenamemapdir' => '/etc/simplesamlphp/attributemap/',
    'metadata.sources' => [['type' => 'flatfile']],
    'technicalcontact_email' => 'it@campus.example',
    'timezone' => 'UTC',
    'secretsalt' => 'not a secret: the office of a test',
    'auth.adminpassword' => 'not used',
    'enable.saml20-idp' => true,
    'enable.http_post' => true,
    'module.enable' => ['core' => true, 'exampleauth' => true, 'saml' => true],
    'trusted.url.domains' => null,
    'showerrors' => true,
    'errorreporting' => false,
    'logging.handler' => 'file',
    'logging.logfile' => 'log',
    'session.cookie.secure' => $secure,
    'session.cookie.samesite' => $secure ? 'None' : null,
    'store.type' => 'phpsession',
    'theme.use' => 'default',
    'language.available' => ['en'],
    'language.default' => 'en',
    'authproc.idp' => [],
];
