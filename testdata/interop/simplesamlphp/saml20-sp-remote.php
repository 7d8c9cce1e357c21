<?php
// Whoever has metadata in DIR/sp; read at each request.
foreach (glob(getenv('DIR') . '/sp/*.xml') as $file) {
    foreach (SimpleSAML\Metadata\SAMLParser::parseDescriptorsFile($file) as $id => $entity) {
        $metadata[$id] = array_diff_key($entity->getMetadata20SP(), ['entityDescriptor' => 0, 'expire' => 0]);
    }
}
