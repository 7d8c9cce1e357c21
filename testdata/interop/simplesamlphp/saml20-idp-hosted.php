<?php
$oid = getenv('NAMES') === 'oid';
$metadata[getenv('BASE') . '/saml2/idp/metadata.php'] = [
    'host' => '__DEFAULT__',
    'auth' => 'people',
    'privatekey' => 'idp.key',
    'certificate' => 'idp.crt',
    'saml20.sign.response' => true,
    'saml20.sign.assertion' => true,
    'assertion.encryption' => getenv('ENCRYPT') === '1',
    'validate.authnrequest' => true,
    'redirect.validate' => true,
    'sign.logout' => true,
    'SingleSignOnServiceBinding' => [SAML2\Constants::BINDING_HTTP_REDIRECT, SAML2\Constants::BINDING_HTTP_POST],
    'SingleLogoutServiceBinding' => [SAML2\Constants::BINDING_HTTP_REDIRECT, SAML2\Constants::BINDING_HTTP_POST],
    'NameIDFormat' => SAML2\Constants::NAMEID_PERSISTENT,
    'attributes.NameFormat' => $oid ? SAML2\Constants::NAMEFORMAT_URI : SAML2\Constants::NAMEFORMAT_BASIC,
    'authproc' => array_filter([
        10 => ['class' => 'saml:PersistentNameID', 'attribute' => 'uid', 'identifyingAttribute' => 'uid'],
        50 => $oid ? ['class' => 'core:AttributeMap', 'name2oid'] : null,
    ]),
];
