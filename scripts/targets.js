'use strict';
// targets.js: the systems for which the package brings a compiled addon along, each with the folder that
// lib/native/binding.ts looks into, and how it is built on a machine that is no such system.

const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');

/** @typedef {{ name: string, platform: string, arch: string, libc: string, file: string, cross?: Cross }} Target */
/** @typedef {{ toolchain: string, compiler: string, package: string, strip: string }} Debian a CMake toolchain file, and Debian's name for what it needs */
/** @typedef {{ toolchain: string, zig: string }} Zig one for Zig, which is told the processor */
/** @typedef {Debian | Zig} Cross */

function target(platform, arch, libc, cross) {
  const file = path.posix.join('prebuilds', `${platform}-${arch}`, libc === '' ? 'addon.node' : `addon.${libc}.node`);
  return { name: [platform, arch, libc].filter(Boolean).join('-'), platform, arch, libc, file, cross };
}

function debian(toolchain, compiler, strip, name = compiler) {
  return { toolchain: path.join('cmake', toolchain), compiler, strip, package: name };
}

function musl(arch, processor) {
  return target('linux', arch, 'musl', { toolchain: path.join('cmake', 'zig-musl.cmake'), zig: processor });
}

/** @type {readonly Target[]} */
const targets = [
  target('darwin', 'arm64', ''),
  target('darwin', 'x64', ''),
  target(
    'linux',
    'arm',
    'glibc',
    debian('linux-arm.cmake', 'arm-linux-gnueabihf-g++', 'arm-linux-gnueabihf-strip', 'g++-arm-linux-gnueabihf'),
  ),
  target(
    'linux',
    'arm64',
    'glibc',
    debian('linux-arm64.cmake', 'aarch64-linux-gnu-g++', 'aarch64-linux-gnu-strip', 'g++-aarch64-linux-gnu'),
  ),
  musl('arm64', 'aarch64'),
  target('linux', 'x64', 'glibc'),
  musl('x64', 'x86_64'),
  target('win32', 'arm64', ''),
  target(
    'win32',
    'x64',
    '',
    debian('mingw64.cmake', 'x86_64-w64-mingw32-g++-posix', 'x86_64-w64-mingw32-strip', 'g++-mingw-w64-x86-64-posix'),
  ),
];

/** The name of the system that this process runs on. */
function hostName() {
  const { platform, arch } = process;
  if (platform !== 'linux') return `${platform}-${arch}`;
  const isGlibc = process.report.getReport().header.glibcVersionRuntime !== undefined;
  return `${platform}-${arch}-${isGlibc ? 'glibc' : 'musl'}`;
}

function isBuilt({ file }) {
  return fs.existsSync(path.join(root, file));
}

module.exports = { hostName, isBuilt, root, targets };
