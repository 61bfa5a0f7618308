// Three sign-in providers in one process: plain OpenID Connect, GitHub and Apple, each with its own habits, all on the
// certified engine of npm's oidc-provider. tests/peers/sign_in_provider.py starts it and says what its control does.
//
// Run: node server.mjs FOLDER SETUP, where node_modules is in the folder and the setup is JSON (see the Python side).

import { createHash, createPublicKey, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parse } from 'node:querystring';
import { pathToFileURL } from 'node:url';

const [folder, setup] = [process.argv[2], JSON.parse(process.argv[3])];
const { resolve } = createRequire(join(folder, 'package.json'));
const { Provider } = await import(pathToFileURL(resolve('oidc-provider')));
const jose = await import(pathToFileURL(resolve('jose')));

const PERSON_SECONDS = 3600;
const PATHS = {
  oidc: {},
  github: { authorization: '/login/oauth/authorize', token: '/login/oauth/access_token' },
  apple: { authorization: '/auth/authorize', token: '/auth/token', jwks: '/auth/keys' },
};
const CLAIMS = {
  oidc: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  github: { openid: ['sub'] },
  apple: { openid: ['sub'], email: ['email', 'email_verified', 'is_private_email'] },
};
const SCOPES = { oidc: ['openid', 'email', 'profile'], github: ['openid', 'read:user', 'user:email'] };
SCOPES.apple = ['openid', 'name', 'email'];

// ---- Accounts: the login name that is typed says everything ----

function accountOf(login) {
  const [base, ...flags] = login.split('+');
  const as = flags.find((flag) => flag.startsWith('as='))?.slice(3) ?? base;
  const hidden = `${createHash('sha256').update(login).digest('hex').slice(0, 10)}@privaterelay.appleid.com`;
  return {
    name: base.charAt(0).toUpperCase() + base.slice(1),
    email: flags.includes('noemail') ? undefined : flags.includes('private') ? hidden : `${as}@example.org`,
    verified: !flags.includes('unverified'),
    isPrivate: flags.includes('private'),
    number: Number.parseInt(createHash('sha256').update(login).digest('hex').slice(0, 10), 16),
  };
}

// ---- One part: an engine, its keys, and what the control has told it ----

const CALM = { alg: 'RS256', thin: false, faults: {}, forgery: null };

class Part {
  constructor(name, issuer) {
    Object.assign(this, { name, issuer, requests: {}, ...CALM });
    this.greeted = new Set();
  }

  async rotate() {
    const algorithms = ['RS256', 'ES256', 'EdDSA'];
    const pairs = await Promise.all(algorithms.map((alg) => jose.generateKeyPair(alg, { extractable: true })));
    this.keys = await Promise.all(pairs.map(async ({ privateKey }) => ({
      ...(await jose.exportJWK(privateKey)), kid: randomBytes(6).toString('hex'), use: 'sig',
    })));
    this.build();
  }

  build() {
    const { name } = this;
    const engine = new Provider(this.issuer, {
      claims: CLAIMS[name],
      clients: [{ ...this.client(), redirect_uris: [`http://127.0.0.1${callback(name)}`] }],
      conformIdTokenClaims: this.thin,
      cookies: {
        keys: [setup.cookieKey],
        // Browsers share cookies between ports.
        names: { session: `${name}_session`, interaction: `${name}_interaction`, resume: `${name}_resume` },
      },
      enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
      features: { devInteractions: { enabled: false } },
      findAccount: (_, sub) => ({ accountId: sub, claims: () => claimsOf(name, sub) }),
      interactions: { url: (_, { uid }) => `/interaction/${uid}` },
      jwks: { keys: this.keys },
      pkce: { required: () => name === 'oidc' },
      routes: PATHS[name],
      scopes: SCOPES[name],
      ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: PERSON_SECONDS, IdToken: 600, Interaction: 600, Session: PERSON_SECONDS },
    });
    engine.Client.prototype.redirectUriAllowed = (uri) => URL.canParse(uri)
      && ['127.0.0.1', 'localhost'].includes(new URL(uri).hostname) && new URL(uri).pathname === callback(name);
    engine.use((ctx, next) => this.recorded(ctx, next));
    engine.use((ctx, next) => interaction(engine, name, ctx, next));
    engine.use((ctx, next) => this.habits(engine, ctx, next));
    engine.on('authorization.success', (ctx, out) => {
      if (name !== 'oidc') delete out.iss;
      if (name === 'apple') this.greet(ctx.oidc.session.accountId, ctx.oidc.params.scope, out);
    });
    this.handler = engine.callback();
  }

  client() {
    const { id, secret } = setup.clients[this.name];
    return {
      client_id: id,
      client_secret: secret,
      id_token_signed_response_alg: this.alg,
      token_endpoint_auth_method: this.name === 'oidc' ? 'client_secret_basic' : 'client_secret_post',
    };
  }

  /** Apple tells the name once, beside the code. */
  greet(login, scope, out) {
    if (this.greeted.has(login) || !scope.includes('name')) return;
    this.greeted.add(login);
    const { name, email } = accountOf(login);
    out.user = JSON.stringify({ name: { firstName: name, lastName: 'Appleseed' }, email });
  }

  async recorded(ctx, next) {
    this.requests[ctx.path] = (this.requests[ctx.path] ?? 0) + 1;
    const how = this.faults[ctx.path];
    if (!how) return next();
    this.faults = {};
    if (typeof how === 'string') return FAULTS[how](ctx);
    await next();
    ctx.body = said({ ...ctx.body, ...how });
    return undefined;
  }

  habits(engine, ctx, next) {
    if (this.name === 'github') return github(engine, ctx, next);
    if (this.name === 'apple') return apple(this, ctx, next);
    return this.forged(ctx, next);
  }

  /** Hand out the next ID token with other claims, or signed by somebody else. */
  async forged(ctx, next) {
    await next();
    if (!this.forgery || !ctx.body?.id_token) return;
    const { claims = {}, header = {}, sign = 'own' } = this.forgery;
    this.forgery = null;
    const [, given] = ctx.body.id_token.split('.');
    const payload = { ...JSON.parse(Buffer.from(given, 'base64url')), ...claims };
    const own = this.keys[0];
    const heading = { alg: 'RS256', kid: own.kid, ...header };
    ctx.body = { ...ctx.body, id_token: await SIGNERS[sign](said(payload), said(heading), own) };
  }
}

const callback = (name) => `/api/auth/providers/${name}/callback`;

function claimsOf(name, sub) {
  const { name: called, email, verified, isPrivate } = accountOf(sub);
  if (name !== 'apple') return { sub, name: called, email, email_verified: verified };
  // Apple says some of its booleans with words.
  return { sub, email, email_verified: String(verified), is_private_email: isPrivate || undefined };
}

/** What null stands for is left out. */
const said = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const signed = (payload, header, key) => new jose.SignJWT(payload).setProtectedHeader(header).sign(key);

const SIGNERS = {
  own: async (payload, header, own) => signed(payload, header, await jose.importJWK(own, 'RS256')),
  stranger: async (payload, header) => signed(payload, header, (await jose.generateKeyPair('RS256')).privateKey),
  none: (payload) => `${encoded({ alg: 'none' })}.${encoded(payload)}.`,
  secret: (payload, header) => signed(payload, { ...header, alg: 'HS256' }, Buffer.from(setup.clients.oidc.secret)),
  // The public key, which everybody has, taken for a shared secret.
  confused: (payload, header, own) => {
    const pem = createPublicKey({ key: own, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    return signed(payload, { ...header, alg: 'HS256' }, Buffer.from(pem));
  },
};

// ---- What goes wrong on a bad day ----

const WRONG = { issuer: [], access_token: 5, id_token: {}, token_type: 1, keys: 'x', sub: 7, id: true, email: null };
const FAULTS = {
  html: (ctx) => { ctx.type = 'html'; ctx.body = '<!doctype html><title>Welcome</title>'; },
  'status-500': (ctx) => { ctx.status = 500; ctx.body = 'oops'; },
  'status-429': (ctx) => { ctx.status = 429; ctx.body = { error: 'slow down', message: 'slow down' }; },
  'status-403': (ctx) => { ctx.status = 403; ctx.body = { message: 'no' }; },
  'server-error': (ctx) => { ctx.status = 400; ctx.body = { error: 'server_error' }; },
  'odd-error': (ctx) => { ctx.status = 400; ctx.body = { error: { a: [1] }, error_description: 7 }; },
  empty: (ctx) => { ctx.status = 204; },
  list: (ctx) => { ctx.body = [1, 2]; },
  number: (ctx) => { ctx.type = 'json'; ctx.body = '7'; },
  'wrong-types': (ctx) => { ctx.body = WRONG; },
  'odd-numbers': (ctx) => { ctx.type = 'json'; ctx.body = '{"access_token": "a", "expires_in": Infinity, "id": 1e999}'; },
  binary: (ctx) => { ctx.type = 'json'; ctx.body = randomBytes(2000); },
  deep: (ctx) => { ctx.type = 'json'; ctx.body = '['.repeat(100_000); },
  huge: (ctx) => { ctx.body = { issuer: 'x'.repeat(3_000_000), access_token: 'a' }; },
  compressed: (ctx) => { ctx.set('Content-Encoding', 'gzip'); ctx.body = randomBytes(100); },
  redirect: (ctx) => { ctx.status = 302; ctx.set('Location', `http://127.0.0.1:${setup.trap}/trap`); ctx.body = WRONG; },
  reset: (ctx) => { ctx.respond = false; ctx.res.socket.destroy(); },
  garbage: (ctx) => { ctx.respond = false; ctx.res.socket.end('this is not HTTP\r\n\r\n'); },
  hang: () => new Promise(() => {}),
  drip: (ctx) => {
    ctx.respond = false;
    ctx.res.writeHead(200, { 'Content-Type': 'application/json' });
    const timer = setInterval(() => ctx.res.write(' '), 50);
    ctx.res.on('close', () => clearInterval(timer));
  },
};

// ---- The pages that a person sees ----

function page(title, body) {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>
<form method="post">${body}</form></html>`;
}

async function interaction(engine, name, ctx, next) {
  if (!ctx.path.startsWith('/interaction/')) return next();
  const { prompt, params, grantId, session } = await engine.interactionDetails(ctx.req, ctx.res);
  if (ctx.method === 'GET') {
    ctx.type = 'html';
    ctx.body = prompt.name === 'login'
      ? page(`Sign in at ${name}`, `<label>Login name <input name="login" required autofocus></label>
<button name="answer" value="yes">Sign in</button><button name="answer" value="no" formnovalidate>Cancel</button>`)
      : page(`Continue to RxChat from ${name}?`, `<p>It will know your name and your address.</p>
<button name="answer" value="yes">Allow</button><button name="answer" value="no">Deny</button>`);
    return undefined;
  }
  const { answer, login } = await form(ctx);
  let result = { error: 'access_denied', error_description: 'The person said no.' };
  if (answer === 'yes' && prompt.name === 'login') result = { login: { accountId: login } };
  if (answer === 'yes' && prompt.name === 'consent') {
    const grant = grantId ? await engine.Grant.find(grantId)
      : new engine.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope((prompt.details.missingOIDCScope ?? []).join(' '));
    grant.addOIDCClaims(prompt.details.missingOIDCClaims ?? []);
    result = { consent: { grantId: await grant.save() } };
  }
  ctx.status = 303;
  ctx.redirect(await engine.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: answer === 'yes' }));
  return undefined;
}

async function form(ctx) {
  const parts = [];
  for await (const part of ctx.req) parts.push(part);
  return parse(Buffer.concat(parts).toString());
}

// ---- GitHub ----

const GITHUB_ERRORS = {
  invalid_grant: 'bad_verification_code', invalid_client: 'incorrect_client_credentials', invalid_request: 'bad_verification_code',
};

async function github(engine, ctx, next) {
  if (ctx.path === PATHS.github.authorization) {
    ctx.query = { ...ctx.query, scope: `openid ${ctx.query.scope ?? ''}`.trim(), response_type: 'code' };
  }
  if (ctx.path.startsWith('/api/v3/')) return api(engine, ctx);
  if (ctx.path === PATHS.github.token) ctx.req.body = { grant_type: 'authorization_code', ...(await form(ctx)) };
  await next();
  const location = ctx.response.get('Location') ?? '';
  if (location.includes('iss=')) ctx.set('Location', without(location, 'iss'));
  if (ctx.path === PATHS.github.token) {
    // An error is a success, too; and who does not ask for JSON gets a form.
    const error = GITHUB_ERRORS[ctx.body.error] ?? ctx.body.error;
    const { access_token: token, scope } = ctx.body;
    const said = error
      ? { error, error_description: 'The code passed is incorrect or expired.', error_uri: 'https://docs.github.com/' }
      : { access_token: token, token_type: 'bearer', scope: scope.replace('openid ', '').replaceAll(' ', ',') };
    ctx.status = 200;
    ctx.body = (ctx.get('Accept') ?? '').includes('json') ? said : new URLSearchParams(said).toString();
  }
  return undefined;
}

function without(address, parameter) {
  const url = new URL(address, 'http://localhost');
  url.searchParams.delete(parameter);
  return url.href;
}

async function api(engine, ctx) {
  const token = await engine.AccessToken.find((ctx.get('Authorization') ?? '').replace(/^Bearer /, ''));
  ctx.status = 401;
  ctx.body = { message: 'Bad credentials' };
  if (!token) return;
  const { name, email, verified, number } = accountOf(token.accountId);
  const others = [
    { email: `old-${number}@example.net`, primary: false, verified: true, visibility: null },
    { email: `work-${number}@example.net`, primary: false, verified: false, visibility: null },
  ];
  const addresses = email ? [...others, { email, primary: true, verified, visibility: 'private' }] : others;
  // The address in the profile is public, chosen freely and not what a sign-in should go by.
  const user = { id: number, login: token.accountId, name, email: 'public@example.com' };
  ctx.status = 200;
  if (ctx.path === '/api/v3/user') ctx.body = user;
  else if (ctx.path === '/api/v3/user/emails' && token.scope.includes('user:email')) ctx.body = addresses;
  else ctx.throw(404);
}

// ---- Apple ----

async function apple(part, ctx, next) {
  if (ctx.path === PATHS.apple.authorization) {
    if (ctx.query.scope && ctx.query.response_mode !== 'form_post') ctx.throw(400, 'form_post is needed with scopes');
    ctx.query = { ...ctx.query, scope: `openid ${ctx.query.scope ?? ''}`.trim() };
  }
  if (ctx.path === PATHS.apple.token) {
    const { client_secret: secret, ...rest } = await form(ctx);
    const is = await isTeams(secret, part.issuer);
    ctx.req.body = { ...rest, client_secret: is ? setup.clients.apple.secret : 'wrong' };
  }
  await part.forged(ctx, next);
  if (typeof ctx.body === 'string' && ctx.body.includes('name="error"')) {
    ctx.body = ctx.body.replace(/name="error" value="access_denied"/, 'name="error" value="user_cancelled_authorize"')
      .replace(/<input type="hidden" name="(iss|error_description)"[^>]*>/g, '');
  }
}

/** Whether a client secret is a young JWT that the team's key has signed. */
async function isTeams(secret, issuer) {
  const { team, keyId, publicKey } = setup.apple;
  try {
    const key = await jose.importSPKI(publicKey, 'ES256');
    const { payload, protectedHeader } = await jose.jwtVerify(secret, key, {
      algorithms: ['ES256'], audience: issuer, issuer: team, subject: setup.clients.apple.id, requiredClaims: ['exp', 'iat'],
    });
    return protectedHeader.kid === keyId && payload.exp - payload.iat < 15_777_000;
  } catch {
    return false;
  }
}

// ---- Doors ----

/** Listen at an address; false when another one listens there, true also where this machine has no such addresses. */
function opened(server, port, address) {
  return new Promise((done, failed) => {
    server.once('error', (error) => {
      if (error.code === 'EADDRINUSE') done(false);
      else if (address === '::1') done(true);
      else failed(error);
    });
    server.listen({ port, host: address, ipv6Only: address === '::1' }, () => done(true));
  });
}

async function listening(handler, host = '127.0.0.1') {
  for (;;) {
    const server = createServer(handler);
    await opened(server, 0, '127.0.0.1');
    const { port } = server.address();
    // "localhost" is ::1, too, where another server may have this port, or the client's own socket gets it.
    if (host !== 'localhost' || (await opened(createServer(handler), port, '::1'))) return `http://${host}:${port}`;
    server.close();
  }
}

const parts = {};
const trapped = [];
// Apple is at another name, so that to browsers its form is another site's.
for (const [name, host] of [['oidc', '127.0.0.1'], ['github', '127.0.0.1'], ['apple', 'localhost']]) {
  const issuer = await listening((request, response) => parts[name].handler(request, response), host);
  parts[name] = new Part(name, issuer);
  await parts[name].rotate();
}

const control = await listening(async (request, response) => {
  if (request.url === '/trap') trapped.push(request.method);
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  if (request.url === '/control') {
    const { part: name, rotate, calm, ...rest } = JSON.parse(Buffer.concat(chunks));
    const part = parts[name];
    const { alg, thin } = part;
    Object.assign(part, calm ? CALM : rest);
    if (rotate) await part.rotate();
    else if (part.alg !== alg || part.thin !== thin) part.build();
  }
  const requests = Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part.requests]));
  response.end(JSON.stringify({ requests, trapped }));
});
setup.trap = new URL(control).port;
const issuers = Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part.issuer]));
process.stdout.write(`${JSON.stringify({ control, ...issuers })}\n`);
