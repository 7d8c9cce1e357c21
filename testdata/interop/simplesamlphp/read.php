<?php
// What simplesamlphp's own library sees in Responses: php read.php DIR prints JSON, file → {name, format, attributes}, or {refused}.
// Signatures are somebody else's affair here.
require '/usr/share/simplesamlphp/vendor/autoload.php';

SAML2\Compat\ContainerSingleton::setContainer(new class extends SAML2\Compat\AbstractContainer {
    public function getLogger(): Psr\Log\LoggerInterface { return new Psr\Log\NullLogger(); }
    public function generateId(): string { return '_' . bin2hex(random_bytes(16)); }
    public function debugMessage($message, string $type): void {}
    public function redirect(string $url, array $data = []): void {}
    public function postRedirect(string $url, array $data = []): void {}
    public function getTempDir(): string { return sys_get_temp_dir(); }
    public function writeFile(string $filename, string $data, int $mode = null): void {}
});

function reading(string $file): array
{
    $response = new SAML2\Response(SAML2\DOMDocumentFactory::fromString(file_get_contents($file))->documentElement);
    $assertions = $response->getAssertions();
    if (count($assertions) !== 1) {
        return ['refused' => count($assertions) . ' assertions'];
    }
    $name = $assertions[0]->getNameId();
    return [
        'issuer' => $assertions[0]->getIssuer()->getValue(), 'name' => $name->getValue(), 'format' => (string) $name->getFormat(),
        'attributes' => (object) $assertions[0]->getAttributes(), 'audiences' => $assertions[0]->getValidAudiences(), 'inresponseto' => $response->getInResponseTo(),
    ];
}

$out = [];
foreach (glob($argv[1] . '/*.xml') as $file) {
    try {
        $out[basename($file)] = reading($file);
    } catch (Throwable $e) {
        $out[basename($file)] = ['refused' => $e->getMessage()];
    }
}
echo json_encode((object) $out, JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE), "\n";
