import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as ts from "typescript";
import { version } from "../../package.json";
import { REPLACING as REPLACING_ATTACHMENT } from "../../provider/lifecycle/iso-attachment";
import { REPLACING as REPLACING_RELEASE } from "../../provider/lifecycle/iso-release";
import { REPLACING as REPLACING_DISC } from "../../provider/lifecycle/temp-iso";

/** A type as Pulumi's package schema writes it. */
interface TypeSpec {
  type?: string;
  $ref?: string;
  items?: TypeSpec;
  additionalProperties?: TypeSpec;
  oneOf?: TypeSpec[];
}

interface PropertySpec extends TypeSpec {
  description?: string;
  secret?: boolean;
  replaceOnChanges?: boolean;
}

interface ObjectSpec {
  description: string;
  type: "object";
  properties: Record<string, PropertySpec>;
  required: string[];
}

const provider = resolve(__dirname, "../../provider");

const FUNCTIONS_MODULE = "plugin/functions.ts";

const PACKAGE = "xen";

/** The resources: module below `provider/`, class, interfaces that hold its arguments. */
const RESOURCES = {
  TempIso: ["resources/temp-iso.ts", "XenTempIso", "ImageSources", "XenTempIsoOptions"],
  IsoAttachment: ["resources/iso-attachment.ts", "XenIsoAttachment", "XenIsoAttachmentArgs"],
  IsoRelease: ["resources/iso-release.ts", "XenIsoRelease", "XenIsoReleaseArgs"],
} as const;

const resourceNames = Object.keys(RESOURCES) as (keyof typeof RESOURCES)[];

/** The inputs of a resource that replace it whatever changes in them. */
const REPLACING: Readonly<Record<keyof typeof RESOURCES, readonly string[]>> = {
  TempIso: REPLACING_DISC,
  IsoAttachment: REPLACING_ATTACHMENT,
  IsoRelease: REPLACING_RELEASE,
};

/** The functions: module and name of the argument type, and in `plugin/functions.ts` result type and function. */
const FUNCTIONS = {
  cloudInit: ["resources/cloud-init.ts", "CloudInitArgs", "FilesResult", "cloudInitFiles"],
  neonInit: ["plugin/functions.ts", "NeonInitArgs", "FilesResult", "neonInitFiles"],
  getDiscs: ["plugin/functions.ts", "GetDiscsArgs", "GetDiscsResult", "getDiscs"],
} as const;

/** Schema properties that no TypeScript type has. */
const OWNER: PropertySpec = {
  type: "string",
  description: "URN of the resource when it was created; the objects on the host carry it.",
};

/**
 * Makes the schema of the provider plugin from the TypeScript types and their TSDoc, so that every language gets
 * the same names, types and descriptions.
 */
export function generateSchema(): object {
  const types = new Types();
  const connection = types.objectOf(types.interfaceIn("resources/connection.ts", "ConnectionArgs"));
  const settings: Record<string, PropertySpec> = {
    ...connection.properties,
    deleteUnreachable: {
      type: "boolean",
      description:
        "A delete succeeds with a warning when the host cannot be reached after all attempts. Default false.",
    },
  };
  return {
    name: PACKAGE,
    version,
    displayName: "Xen ISO",
    description:
      "Puts an ISO image on a XenServer / XCP-ng host for a VM's first boot, and leaves nothing behind.",
    keywords: [
      "pulumi",
      "xenserver",
      "xcp-ng",
      "iso",
      "cloud-init",
      "kind/native",
      "category/infrastructure",
    ],
    license: "Apache-2.0",
    config: { variables: loosened(settings) },
    provider: {
      description:
        "Connects to the hosts of its resources, with the settings that their `connection` leaves out.",
      inputProperties: settings,
    },
    resources: Object.fromEntries(
      resourceNames.map((name) => [tokenOf(name), types.resource(RESOURCES[name], REPLACING[name])]),
    ),
    functions: Object.fromEntries(
      Object.entries(FUNCTIONS).map(([name, source]) => [tokenOf(name), types.function(source)]),
    ),
    types: types.referenced(),
    language: LANGUAGES,
  };
}

/** Of a setting that is no plain value, the Java generator makes code that does not compile, or none at all. */
function loosened(settings: Record<string, PropertySpec>): Record<string, PropertySpec> {
  const entries = Object.entries(settings).map(([name, spec]) => {
    const { $ref, oneOf, ...rest } = spec;
    return [name, $ref || oneOf ? { $ref: "pulumi.json#/Any", ...rest } : spec] as const;
  });
  return Object.fromEntries(entries);
}

/** Settings of the code generators. */
const LANGUAGES = {
  nodejs: { packageName: "pulumi-xen", respectSchemaVersion: true },
  python: { packageName: "pulumi_xen", respectSchemaVersion: true, pyproject: { enabled: true } },
  go: { importBasePath: "github.com/pulumi/pulumi-xen/sdk/go/xen", respectSchemaVersion: true },
  csharp: { respectSchemaVersion: true },
  java: {},
};

const KEYWORDS: ReadonlyMap<ts.SyntaxKind, TypeSpec> = new Map([
  [ts.SyntaxKind.StringKeyword, { type: "string" }],
  [ts.SyntaxKind.NumberKeyword, { type: "integer" }],
  [ts.SyntaxKind.BooleanKeyword, { type: "boolean" }],
  [ts.SyntaxKind.UnknownKeyword, { $ref: "pulumi.json#/Any" }],
]);

/** Reads types from the sources. */
class Types {
  readonly #files = new Map<string, ts.SourceFile>();
  readonly #referenced = new Map<string, object>();

  resource(
    [module, className, ...argsNames]: readonly [string, string, ...string[]],
    replacing: readonly string[],
  ) {
    const parts = argsNames.map((name) => this.objectOf(this.interfaceIn(module, name)));
    const properties = Object.assign({}, ...parts.map((part) => part.properties)) as ObjectSpec["properties"];
    const required = parts.flatMap((part) => part.required);
    const declaration = this.#find(module, className, ts.isClassDeclaration);
    const fields = declaration.members.filter(ts.isPropertyDeclaration);
    const outputs = this.#propertiesOf(module, fields);
    // The generators of SDKs read it from the outputs.
    for (const all of [properties, outputs])
      for (const name of replacing) if (all[name]) all[name].replaceOnChanges = true;
    const always = fields.filter((field) => !isOptionalOutput(field)).map((field) => nameOf(field));
    return {
      description: descriptionOf(declaration),
      inputProperties: properties,
      requiredInputs: required,
      properties: { ...without(properties, "after"), ...outputs, owner: OWNER },
      required: [...new Set([...required, ...always, "owner"])].sort(),
    };
  }

  function([module, argsName, resultName, functionName]: readonly [string, string, string, string]) {
    const { description: _, ...inputs } = this.objectOf(this.interfaceIn(module, argsName));
    const { description: __, ...outputs } = this.objectOf(this.interfaceIn(FUNCTIONS_MODULE, resultName));
    const description = descriptionOf(this.#find(FUNCTIONS_MODULE, functionName, ts.isFunctionDeclaration));
    return { description, inputs, outputs };
  }

  objectOf(declaration: ts.InterfaceDeclaration): ObjectSpec {
    const members = declaration.members.filter(ts.isPropertySignature);
    const module = moduleOf(declaration);
    return {
      description: descriptionOf(declaration),
      type: "object",
      properties: this.#propertiesOf(module, members),
      required: members.filter(isRequired).map((member) => nameOf(member)),
    };
  }

  interfaceIn(module: string, name: string): ts.InterfaceDeclaration {
    return this.#find(module, name, ts.isInterfaceDeclaration);
  }

  /** All types that were referred to, by token. */
  referenced() {
    return Object.fromEntries([...this.#referenced].sort(([one], [other]) => (one < other ? -1 : 1)));
  }

  #propertiesOf(
    module: string,
    members: readonly (ts.PropertySignature | ts.PropertyDeclaration)[],
  ): Record<string, PropertySpec> {
    const secrets = this.#secrets();
    const entries = members.map((member) => {
      const name = nameOf(member);
      if (!member.type) throw new TypeError(`${module}: ${name} has no type`);
      const spec = this.#typeOf(module, member.type);
      const description = descriptionOf(member);
      return [
        name,
        { ...spec, ...(description && { description }), ...(secrets.includes(name) && { secret: true }) },
      ] as const;
    });
    return Object.fromEntries(entries);
  }

  #typeOf(module: string, node: ts.TypeNode): TypeSpec {
    const keyword = KEYWORDS.get(node.kind);
    if (keyword) return keyword;
    if (ts.isParenthesizedTypeNode(node)) return this.#typeOf(module, node.type);
    if (ts.isTypeOperatorNode(node)) return this.#typeOf(module, node.type);
    if (ts.isArrayTypeNode(node)) return { type: "array", items: this.#typeOf(module, node.elementType) };
    if (ts.isUnionTypeNode(node)) return this.#unionOf(module, node);
    if (ts.isTypeReferenceNode(node)) return this.#referenceOf(module, node);
    throw new TypeError(`${module}: no schema for the type ${node.getText()}`);
  }

  #unionOf(module: string, node: ts.UnionTypeNode): TypeSpec {
    const objects = node.types.filter(ts.isTypeLiteralNode);
    const isAsset = (each: ts.TypeNode) => /^pulumi\.asset\.\w*Asset$/.test(each.getText());
    const others = node.types.filter(
      (each) =>
        !ts.isTypeLiteralNode(each) &&
        each.kind !== ts.SyntaxKind.UndefinedKeyword &&
        // "default" in place of a user: generated SDKs name the fields of a user only where nothing else may stand.
        !ts.isLiteralTypeNode(each) &&
        !(objects.length > 0 && isAsset(each)),
    );
    const [only, ...more] = others;
    if (only && more.length === 0 && objects.length === 0) return this.#typeOf(module, only);
    const specs = [
      ...new Map(
        others.map((each) => this.#typeOf(module, each)).map((spec) => [JSON.stringify(spec), spec]),
      ).values(),
    ];
    // { base64 }, { path } or { url }: what a file holds, where a Pulumi asset does too.
    if (objects.length > 0) specs.push(this.#fileContent(module, objects), { $ref: "pulumi.json#/Asset" });
    return { oneOf: specs };
  }

  /** Several kinds of objects are one type with optional properties: no code generator knows such unions. */
  #fileContent(module: string, objects: readonly ts.TypeLiteralNode[]): TypeSpec {
    const members = objects.flatMap((each) => each.members.filter(ts.isPropertySignature));
    return this.#reference("IsoFileContent", () => ({
      description:
        "The content of a file on the disc: bytes in base64, the path of a local file, or the URL of a file and its checksum.",
      type: "object",
      properties: this.#propertiesOf(module, members),
    }));
  }

  #referenceOf(module: string, node: ts.TypeReferenceNode): TypeSpec {
    const name = node.typeName.getText();
    const [first, second] = node.typeArguments ?? [];
    if (["pulumi.Input", "pulumi.Output", "Input", "Readonly"].includes(name) && first)
      return this.#typeOf(module, first);
    if (/^pulumi\.asset\.\w+$/.test(name))
      return { $ref: name.endsWith("Archive") ? "pulumi.json#/Archive" : "pulumi.json#/Asset" };
    if (name === "pulumi.Inputs")
      return { type: "object", additionalProperties: { $ref: "pulumi.json#/Any" } };
    if (name === "Record" && second)
      return { type: "object", additionalProperties: this.#typeOf(module, second) };
    const { declaration, file } = this.#resolve(module, name);
    if (ts.isInterfaceDeclaration(declaration))
      return this.#reference(name.replace(/^Xen|(Args|Inputs)$/g, ""), () => {
        const { required, ...object } = this.objectOf(declaration);
        return { ...object, ...(required.length > 0 && { required }) };
      });
    const { type } = declaration;
    const literals = ts.isUnionTypeNode(type) ? type.types.filter(ts.isLiteralTypeNode) : [];
    if (ts.isUnionTypeNode(type) && literals.length === type.types.length)
      return this.#reference(name, () => ({
        description: descriptionOf(declaration),
        type: "string",
        enum: literals.map(({ literal }) => ({ value: (literal as ts.StringLiteral).text })),
      }));
    return this.#typeOf(file, type);
  }

  #reference(name: string, make: () => object): TypeSpec {
    const token = tokenOf(name);
    if (!this.#referenced.has(token)) {
      // A type may refer to itself.
      this.#referenced.set(token, {});
      this.#referenced.set(token, make());
    }
    return { $ref: `#/types/${token}` };
  }

  /** Finds the declaration of a type in a module or where the module imports it from. */
  #resolve(
    module: string,
    name: string,
  ): { declaration: ts.InterfaceDeclaration | ts.TypeAliasDeclaration; file: string } {
    const declared = this.#file(module).statements.find(
      (each): each is ts.InterfaceDeclaration | ts.TypeAliasDeclaration =>
        (ts.isInterfaceDeclaration(each) || ts.isTypeAliasDeclaration(each)) && each.name.text === name,
    );
    if (declared) return { declaration: declared, file: module };
    for (const each of this.#file(module).statements.filter(ts.isImportDeclaration)) {
      const bindings = each.importClause?.namedBindings;
      const isNamed = bindings && ts.isNamedImports(bindings);
      if (!isNamed || !bindings.elements.some((element) => element.name.text === name)) continue;
      const specifier = (each.moduleSpecifier as ts.StringLiteral).text;
      return this.#resolve(join(module, "..", `${specifier}.ts`), name);
    }
    throw new TypeError(`${module}: no declaration of ${name}`);
  }

  #find<T extends ts.Statement & { name?: ts.Identifier | undefined }>(
    module: string,
    name: string,
    isKind: (node: ts.Node) => node is T,
  ): T {
    const found = this.#file(module).statements.find(
      (each): each is T & ts.Statement => isKind(each) && each.name?.text === name,
    );
    if (!found) throw new TypeError(`${module}: no declaration of ${name}`);
    return found;
  }

  /** The fields that the resource classes always mark as secret. */
  #secrets(): string[] {
    return ["resources/connection.ts", "resources/temp-iso.ts"].flatMap((module) => {
      const found = this.#file(module)
        .statements.filter(ts.isVariableStatement)
        .flatMap(({ declarationList }) => [...declarationList.declarations])
        .find(({ name }) => name.getText() === "SECRETS");
      const names = [...(found?.initializer?.getText().matchAll(/"(\w+)"/g) ?? [])].map(
        ([, name = ""]) => name,
      );
      if (names.length === 0) throw new TypeError(`${module}: no list of SECRETS`);
      return names;
    });
  }

  #file(module: string): ts.SourceFile {
    const known = this.#files.get(module);
    if (known) return known;
    const text = readFileSync(join(provider, module), "utf8");
    const file = ts.createSourceFile(module, text, ts.ScriptTarget.ES2022, true);
    this.#files.set(module, file);
    return file;
  }
}

function isRequired({ questionToken, type }: ts.PropertySignature): boolean {
  return !questionToken && !mayBeUndefined(type);
}

/** Whether a field of a resource's class is `Output<… | undefined>`. */
function isOptionalOutput({ type }: ts.PropertyDeclaration): boolean {
  return type !== undefined && ts.isTypeReferenceNode(type) && mayBeUndefined(type.typeArguments?.[0]);
}

function mayBeUndefined(type: ts.TypeNode | undefined): boolean {
  if (!type || !ts.isUnionTypeNode(type)) return false;
  return type.types.some(({ kind }) => kind === ts.SyntaxKind.UndefinedKeyword);
}

function moduleOf(node: ts.Node): string {
  return node.getSourceFile().fileName;
}

function nameOf(member: ts.PropertySignature | ts.PropertyDeclaration): string {
  return member.name.getText().replaceAll('"', "");
}

function tokenOf(name: string): string {
  return `${PACKAGE}:index:${name}`;
}

function without<T>(properties: Record<string, T>, ...names: string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !names.includes(name)));
}

/** The TSDoc of a declaration as Markdown without its example, which is in TypeScript. */
function descriptionOf(node: ts.Node): string {
  const [doc] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).slice(-1);
  const text = ts.getTextOfJSDocComment(doc?.comment) ?? "";
  return (
    text
      .replaceAll(/```[^]*?```/g, "")
      .replaceAll(/\{@link (\w+)\}/g, "`$1`")
      .replaceAll(/Xen(TempIso|IsoAttachment|IsoRelease)/g, "$1")
      .replaceAll(/\s*\n\s*\n\s*/g, "\n\n")
      .replaceAll(/(?<!\n)\n(?!\n)/g, " ")
      // A class knows the default provider alone.
      .replace(
        "come from the stack's configuration",
        "come from the explicit provider, or from the stack's configuration",
      )
      .trim()
  );
}
