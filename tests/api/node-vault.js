// SPDX-License-Identifier: LGPL-2.1-or-later
// npm's node-vault against a bawnd with TLS; started by test-node-vault.py, which tells the address.
'use strict';

const assert = require('assert');
const fs = require('fs');

const endpoint = process.env.BAWN_ADDR;
const ca = fs.readFileSync(process.env.BAWN_CACERT);
const make = (token) => require('node-vault')({
  apiVersion: 'v1', endpoint, token, requestOptions: { ca },
});

let vault = make();
let root;
let keys;
const tests = [];
const test = (name, run) => tests.push({ name, run });

const rejects = async (promise, status) => {
  let error;
  try {
    await promise;
  } catch (e) {
    error = e;
  }
  assert.ok(error, 'was not refused');
  if (status) assert.strictEqual(error.response && error.response.statusCode, status);
  return error;
};

test('init and unseal', async () => {
  assert.strictEqual((await vault.initialized()).initialized, false);
  const result = await vault.init({ secret_shares: 3, secret_threshold: 2 });
  keys = result.keys;
  assert.strictEqual((await rejects(vault.init({ secret_shares: 1, secret_threshold: 1 }))).message,
    'Vault is already initialized');
  root = result.root_token;
  vault = make(root);
  assert.strictEqual((await vault.unseal({ key: keys[0] })).sealed, true);
  assert.strictEqual((await vault.unseal({ key: keys[1] })).sealed, false);
  assert.strictEqual((await vault.status()).sealed, false);
  assert.strictEqual((await vault.health()).initialized, true);
});

test('mounts', async () => {
  await vault.mount({ mount_point: 'one', type: 'kv', options: { version: '1' } });
  await vault.mount({ mount_point: 'two', type: 'kv', options: { version: '2' } });
  const mounts = await vault.mounts();
  assert.ok(mounts['sys/'] && mounts['one/'] && mounts.data['two/']);
  await vault.remount({ from: 'one', to: 'uno' });
  assert.ok((await vault.mounts())['uno/']);
  await vault.remount({ from: 'uno', to: 'one' });
});

test('policies', async () => {
  const rules = 'path "one/*" { capabilities = ["read"] }';
  await vault.addPolicy({ name: 'reader', rules });
  assert.ok((await vault.policies()).policies.includes('reader'));
  assert.strictEqual((await vault.getPolicy({ name: 'reader' })).rules, rules);
});

test('kv version 1', async () => {
  await vault.write('one/a/b', { x: 'y', n: 7 });
  assert.deepStrictEqual((await vault.read('one/a/b')).data, { x: 'y', n: 7 });
  assert.deepStrictEqual((await vault.list('one/a')).data.keys, ['b']);
  await vault.delete('one/a/b');
  await rejects(vault.read('one/a/b'), 404);
});

test('kv version 2', async () => {
  await vault.write('two/data/a', { data: { x: 1 }, options: { cas: 0 } });
  await rejects(vault.write('two/data/a', { data: { x: 2 }, options: { cas: 0 } }), 400);
  assert.strictEqual((await vault.read('two/data/a')).data.data.x, 1);
  await vault.update('two/data/a', { data: { y: 2 } });
  assert.deepStrictEqual((await vault.read('two/data/a')).data.data, { x: 1, y: 2 });
  await vault.delete('two/data/a');
  await rejects(vault.read('two/data/a'), 404);
});

test('tokens', async () => {
  // The client takes what it creates for its own.
  const made = await make(root).tokenCreate({ policies: ['reader'], ttl: '1h' });
  const mine = make(made.auth.client_token);
  assert.deepStrictEqual((await mine.tokenLookupSelf()).data.policies, ['default', 'reader']);
  await mine.tokenRenewSelf();
  await rejects(mine.write('one/z', { a: 1 }), 403);
  await vault.tokenRevokeAccessor({ accessor: made.auth.accessor });
  await rejects(mine.tokenLookupSelf(), 403);
});

test('userpass', async () => {
  await vault.enableAuth({ mount_point: 'userpass', type: 'userpass' });
  await vault.write('auth/userpass/users/alice', { password: 'sesame', policies: 'reader' });
  const anonymous = make();
  const login = await anonymous.userpassLogin({ username: 'alice', password: 'sesame' });
  assert.deepStrictEqual(login.auth.policies, ['default', 'reader']);
  await rejects(make().userpassLogin({ username: 'alice', password: 'no' }), 400);
  await vault.disableAuth({ mount_point: 'userpass' });
});

test('wrapping', async () => {
  await vault.write('one/w', { a: 'b' });
  const wrapped = await vault.read('one/w', { headers: { 'X-Vault-Wrap-TTL': '1m' } });
  assert.deepStrictEqual((await vault.unwrap({ token: wrapped.wrap_info.token })).data, { a: 'b' });
  await rejects(vault.unwrap({ token: wrapped.wrap_info.token }), 400);
});

test('audit', async () => {
  await vault.enableAudit({ name: 'f', type: 'file', options: { file_path: process.env.AUDIT_FILE } });
  assert.ok((await vault.audits())['f/']);
  await vault.read('one/w');
  assert.ok(fs.readFileSync(process.env.AUDIT_FILE, 'utf8').includes('"path":"one/w"'));
  await vault.disableAudit({ name: 'f' });
});

test('seal', async () => {
  await vault.seal();
  assert.strictEqual((await vault.status()).sealed, true);
  await rejects(vault.read('one/w'), 503);
});

(async () => {
  let failed = 0;
  for (const [i, { name, run }] of tests.entries()) {
    try {
      await run();
      console.log(`ok ${i + 1} - ${name}`);
    } catch (e) {
      failed += 1;
      console.log(String(e && e.stack).replace(/^/gm, '# '));
      console.log(`not ok ${i + 1} - ${name}`);
    }
  }
  console.log(`1..${tests.length}`);
  process.exit(failed ? 1 : 0);
})();
